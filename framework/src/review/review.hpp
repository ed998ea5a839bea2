// Captions under review: who decided what, what comes next, what the decisions say.
//
// The share of wrong captions is estimated from the queue `audit` alone, which shows captions in an
// order drawn at random: other queues show the suspicious first, so that what is found there says
// nothing about the rest.
#pragma once

#include "review/audit_statistics.hpp"
#include "review/caption_flags.hpp"
#include "review/decision_log.hpp"
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

enum class ReviewQueue { audit, uncertain, flagged, alike, of_class, disagreements };
[[nodiscard]] std::string_view to_string(ReviewQueue queue);
[[nodiscard]] std::optional<ReviewQueue> review_queue_named(std::string_view name);

// Decisions of one reviewer about captions as they are now.
class ReviewerView {
 public:
  ReviewerView() = default;
  // Decisions about other texts are counted as stale and left out.
  ReviewerView(std::span<const Decision> standing, std::span<const ReviewItem> items);

  // The latest, in any queue and in the audit. Null where there is none.
  [[nodiscard]] const Decision* latest(std::size_t item) const;
  [[nodiscard]] const Decision* audited(std::size_t item) const;
  [[nodiscard]] std::size_t count() const noexcept { return latest_.size(); }
  [[nodiscard]] std::size_t stale() const noexcept { return stale_; }

 private:
  std::map<std::size_t, Decision> latest_, audited_;
  std::size_t stale_ = 0;
};

using ReviewerViews = std::map<std::string, ReviewerView>;

// Whether a verdict says that the caption is wrong; nothing of a skipped one.
[[nodiscard]] std::optional<bool> is_wrong(Verdict verdict);

class Review {
 public:
  // `overlap` is the share of captions that every reviewer gets, the others are for one.
  // `measure` names the scores of the items.
  Review(std::vector<ReviewItem> items, double overlap, std::string measure = {});

  // In the order of the ids.
  [[nodiscard]] const std::vector<ReviewItem>& items() const noexcept { return items_; }
  [[nodiscard]] const std::vector<CaptionFlags>& flags() const noexcept { return flags_; }
  [[nodiscard]] const std::string& measure() const noexcept { return measure_; }

  // What `reviewer` has to look at, in order. `label` is of the queue of_class.
  [[nodiscard]] std::vector<std::size_t> to_do(ReviewQueue queue, std::int64_t label,
                                               const std::string& reviewer,
                                               const ReviewerViews& views) const;

  // Captions of which the audit says something. Of several verdicts on one the majority counts, a
  // tie as wrong.
  struct Audit {
    std::vector<Stratum> strata;  // flagged and not
    std::int64_t looked_at = 0;
    std::int64_t wrong = 0;
    std::int64_t skipped = 0;
  };
  [[nodiscard]] Audit audit(const ReviewerViews& views) const;
  // Verdicts of captions that several reviewers have decided in the audit: 0 right, 1 wrong.
  [[nodiscard]] Verdicts audited_verdicts(const ReviewerViews& views) const;
  // Those of two reviewers, of the captions that both have decided in the audit.
  [[nodiscard]] std::vector<std::pair<int, int>> audited_pairs(const ReviewerView& first,
                                                               const ReviewerView& second) const;
  // How well the scores tell wrong captions from right ones, by the audit alone: see auc(). Nothing
  // where it holds none of either with a score.
  [[nodiscard]] std::optional<double> score_auc(const ReviewerViews& views) const;

  // What the reviewers make of each caption; nothing where none has judged it. Of several the
  // majority says whether it is right, a tie that it is not, and the latest decision among those
  // what becomes of it.
  [[nodiscard]] std::vector<std::optional<Decision>> outcomes(const ReviewerViews& views) const;

 private:
  [[nodiscard]] bool is_for(const std::string& reviewer, std::size_t item, bool in_audit,
                            const ReviewerViews& views) const;
  [[nodiscard]] bool is_disputed(const std::string& reviewer, std::size_t item,
                                 const ReviewerViews& views) const;

  std::vector<ReviewItem> items_;
  std::string measure_;
  std::vector<CaptionFlags> flags_;
  std::vector<std::size_t> shuffled_;  // the order of the audit
  // The lowest score first, those without one behind, and among equals those with the most flags.
  std::vector<std::size_t> doubtful_;
  std::vector<bool> shared_;  // for every reviewer
};

// Of all decisions in a folder.
[[nodiscard]] ReviewerViews views_in(const std::filesystem::path& folder,
                                     std::span<const ReviewItem> items);
// Where the caption of a picture is among items in the order of their ids.
[[nodiscard]] std::optional<std::size_t> item_of(std::span<const ReviewItem> items,
                                                 std::string_view id);

}  // namespace espalier
