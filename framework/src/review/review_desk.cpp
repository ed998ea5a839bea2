#include "review/review_desk.hpp"

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <utility>

namespace espalier {
namespace {

constexpr auto between_reads = std::chrono::seconds(2);
constexpr std::size_t most_reasons = 20, longest_reason = 100;
constexpr std::size_t longest_text = 8192;  // bytes
constexpr std::int64_t longest_look = 86'400'000;

[[noreturn]] void refuse_decision(std::string what) {
  throw Error({.what = std::move(what), .where = {}, .expected = {}, .found = {}, .fix = {}});
}

Json shown_decision(const Decision* decision) {
  if (decision == nullptr) return nullptr;
  Json shown = {{"verdict", to_string(decision->verdict)}, {"reasons", decision->reasons}};
  if (decision->verdict == Verdict::edit) shown["text"] = decision->text;
  return shown;
}

std::string text_member(const Json& request, const char* key) {
  const Json value = request.value(key, Json());
  if (!value.is_string()) refuse_decision("a decision lacks \"" + std::string(key) + "\"");
  return value.get<std::string>();
}

std::vector<std::string> reasons_in(const Json& request) {
  std::vector<std::string> reasons;
  const Json given = request.value("reasons", Json::array());
  if (!given.is_array() || given.size() > most_reasons)
    refuse_decision("reasons are no short list");
  for (const Json& one : given) {
    if (!one.is_string()) refuse_decision("a reason is no text");
    reasons.push_back(one.get<std::string>());
    if (reasons.back().size() > longest_reason) refuse_decision("a reason is too long");
  }
  return reasons;
}

std::string edited_text(const Json& request) {
  std::string text = text_member(request, "text");
  if (text.empty() || text.size() > longest_text || text.find('\0') != text.npos ||
      !is_utf8(text)) {
    refuse_decision("an edited caption is empty, too long or no text");
  }
  return text;
}

}  // namespace

ReviewDesk::ReviewDesk(const Review& review, const std::filesystem::path& folder,
                       std::string reviewer)
    : review_(review), folder_(folder), log_(folder, std::move(reviewer)) {
  refresh_own();
  refresh_others();
}

void ReviewDesk::refresh_own() {
  views_.insert_or_assign(log_.reviewer(), ReviewerView(log_.standing(), review_.items()));
}

void ReviewDesk::refresh_others() {
  if (read_ != Clock::time_point{} && Clock::now() - read_ < between_reads) return;
  for (const std::string& name : reviewers_in(folder_)) {
    if (name == log_.reviewer()) continue;
    views_.insert_or_assign(name, ReviewerView(decisions_of(folder_, name), review_.items()));
  }
  read_ = Clock::now();
}

Json ReviewDesk::audit() const {
  const Review::Audit audit = review_.audit(views_);
  const Share share = wilson(audit.wrong, audit.looked_at);
  const std::optional<double> auc = review_.score_auc(views_);
  return {{"looked_at", audit.looked_at},
          {"wrong", audit.wrong},
          {"share", share.estimate},
          {"low", share.low},
          {"high", share.high},
          {"measure", review_.measure()},
          {"auc", auc ? Json(*auc) : Json()}};
}

Json ReviewDesk::queue(ReviewQueue queue, std::int64_t label) {
  const std::scoped_lock lock(mutex_);
  read_ = {};
  refresh_others();
  return {{"items", review_.to_do(queue, label, log_.reviewer(), views_)}, {"audit", audit()}};
}

Json ReviewDesk::item(std::size_t index) {
  const std::scoped_lock lock(mutex_);
  if (index >= review_.items().size()) return nullptr;
  refresh_others();
  const ReviewItem& item = review_.items()[index];
  Json others = Json::array();
  for (const auto& [name, view] : views_) {
    if (name != log_.reviewer() && view.latest(index)) {
      others.push_back(shown_decision(view.latest(index)));
    }
  }
  return {{"id", item.id},
          {"text", item.text},
          {"hash", caption_hash(item.text)},
          {"flags", review_.flags()[index].reasons},
          {"label", item.label},
          {"own", shown_decision(views_.at(log_.reviewer()).latest(index))},
          {"others", others}};
}

Json ReviewDesk::decide(std::string_view text) {
  const Json request = parse_json(text, "request");
  if (!request.is_object()) refuse_decision("a decision is no object");
  const Json index = request.value("index", Json());
  if (!index.is_number_unsigned() || index.get<std::uint64_t>() >= review_.items().size()) {
    refuse_decision("a decision is about no caption of this set");
  }
  const ReviewItem& item = review_.items()[index.get<std::size_t>()];
  Decision decision;
  decision.id = item.id;
  decision.caption = text_member(request, "caption");
  if (decision.caption != caption_hash(item.text)) {
    refuse_decision("the decision is about another text; reload the page");
  }
  const auto verdict = verdict_named(text_member(request, "verdict"));
  if (!verdict) refuse_decision("there is no such verdict");
  decision.verdict = *verdict;
  if (decision.verdict == Verdict::edit) decision.text = edited_text(request);
  decision.reasons = reasons_in(request);
  decision.queue = text_member(request, "queue");
  if (!review_queue_named(decision.queue)) refuse_decision("there is no such queue");
  const Json ms = request.value("ms", Json(0));
  if (ms.is_number_integer()) {
    decision.ms = std::clamp<std::int64_t>(ms.get<std::int64_t>(), 0, longest_look);
  }
  const std::scoped_lock lock(mutex_);
  log_.add(std::move(decision));
  ++made_;
  refresh_own();
  return {{"audit", audit()}};
}

Json ReviewDesk::undo() {
  const std::scoped_lock lock(mutex_);
  const std::optional<Decision> revoked = log_.undo();
  refresh_own();
  std::int64_t index = -1;
  if (revoked) {
    const auto item = item_of(review_.items(), revoked->id);
    if (item) index = static_cast<std::int64_t>(*item);
  }
  return {{"index", index}, {"audit", audit()}};
}

}  // namespace espalier
