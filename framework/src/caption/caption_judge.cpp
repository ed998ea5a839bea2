#include "caption/caption_judge.hpp"

#include <espalier/caption/rules.hpp>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

constexpr std::size_t most_kept = 200'000;

}  // namespace

void CaptionJudge::begin(const std::vector<std::string>& class_names) {
  if (names_ && class_names_ == class_names) return;
  names_.emplace(class_names);
  class_names_ = class_names;
  known_.clear();
}

const CaptionJudgement& CaptionJudge::of(const std::string& text) {
  ESPALIER_ASSERT(names_.has_value(), "classes to look for");
  if (const auto found = known_.find(text); found != known_.end()) return found->second;
  if (known_.size() >= most_kept) known_.clear();
  ++looked_at_;
  return known_
      .emplace(text, CaptionJudgement{.flagged = is_flagged(broken_rules({.text = text}, nobody_)),
                                      .named = names_->named(text)})
      .first->second;
}

}  // namespace espalier
