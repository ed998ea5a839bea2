// What the page of a review asks for, without HTTP: JSON in, JSON out.
#pragma once

#include "review/review.hpp"
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace espalier {

// One reviewer's. May be asked by several threads at once.
class ReviewDesk {
 public:
  ReviewDesk(const Review& review, const std::filesystem::path& folder, std::string reviewer);

  [[nodiscard]] const std::string& reviewer() const noexcept { return log_.reviewer(); }
  // {items: [index...], audit}
  [[nodiscard]] Json queue(ReviewQueue queue, std::int64_t label);
  // {id, text, hash, flags, label, own, others}; null where there is no such caption.
  [[nodiscard]] Json item(std::size_t index);
  // Of {index, caption, verdict, text?, reasons, ms, queue}: {audit}. Throws Error where it is not
  // a decision about a caption as it is, StorageError where it cannot be kept.
  [[nodiscard]] Json decide(std::string_view request);
  // {index, audit}, index -1 where nothing is left to take back.
  [[nodiscard]] Json undo();
  [[nodiscard]] std::size_t made() const noexcept { return made_; }

 private:
  using Clock = std::chrono::steady_clock;
  void refresh_own();
  // Others' decisions, read again now and then.
  void refresh_others();
  [[nodiscard]] Json audit() const;

  const Review& review_;
  std::filesystem::path folder_;
  std::mutex mutex_;
  DecisionLog log_;
  ReviewerViews views_;
  Clock::time_point read_{};
  std::atomic<std::size_t> made_ = 0;
};

}  // namespace espalier
