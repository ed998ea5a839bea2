#include <espalier/caption/asking_captioner.hpp>
#include <utility>

namespace espalier {
namespace {

constexpr std::pair<Answer, std::string_view> answers[] = {
    {Answer::ok, "ok"},
    {Answer::truncated, "truncated"},
    {Answer::exhausted, "exhausted"},
    {Answer::refused, "refused"},
    {Answer::empty, "empty"},
    {Answer::thinking_leak, "thinking_leak"},
    {Answer::malformed, "malformed"},
    {Answer::http_error, "http_error"},
    {Answer::dropped, "dropped"},
};

}  // namespace

std::string_view to_string(Answer answer) {
  return answers[static_cast<std::size_t>(answer)].second;
}

std::optional<Answer> answer_named(std::string_view name) {
  for (const auto& [answer, known] : answers) {
    if (known == name) return answer;
  }
  return std::nullopt;
}

bool has_text(Answer answer) { return answer == Answer::ok || answer == Answer::truncated; }

AskingCaptioner::~AskingCaptioner() = default;

}  // namespace espalier
