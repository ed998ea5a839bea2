// Computes what an entry of the cache lacks, together with all processes that wait for it.
#pragma once

#include "cache/stage_entry.hpp"
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier {

// When computed rows become a part: after ever longer times, so that an end in the middle loses
// little and there are never many parts, and before a part grows too large to be read at once.
class PartPace {
 public:
  [[nodiscard]] bool due(std::int64_t bytes) const;
  void stored() { last_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

struct FillHooks {
  std::function<bool()> stopped;                                    // asks for an early end
  std::function<void(std::size_t done, std::size_t all)> progress;  // of what was missing
};

// A Value holds the rows of one slice of samples.
template <class Value>
class StageFilling {
 public:
  using Ids = std::span<const std::string>;
  using Compute = std::function<Value()>;
  struct Steps {
    // What computes these samples; it may begin to load them at once.
    std::function<Compute(Ids)> begin;
    // Adds slices to the entry, whose ids stand in a row.
    std::function<void(StageEntry&, Ids, const std::vector<Value>&)> add;
    std::function<std::int64_t(const Value&)> bytes;  // that one takes when it is stored
  };

  StageFilling(StageEntry& entry, Steps steps, FillHooks hooks)
      : entry_(entry), steps_(std::move(steps)), hooks_(std::move(hooks)) {}

  // Until the entry has all of `wanted`; false where `stopped` said so. Whatever was computed is
  // added, also before what a step throws is thrown on.
  bool run(Ids wanted) {
    StageEntry::Claims claims(entry_, wanted);
    const std::size_t all = entry_.missing(wanted).size();
    std::optional<Slice> next = claim(claims);
    try {
      while (!hooks_.stopped()) {
        if (!next) {
          add(claims);
          if (entry_.missing(wanted).empty()) return true;
          std::this_thread::sleep_for(between_looks);
          next = claim(claims);
          continue;
        }
        const Slice now = *std::exchange(next, claim(claims));
        compute(now, all);
        hooks_.progress(claims.seen() - (next ? next->ids.size() : 0), all);
        if (pace_.due(bytes_)) add(claims);
      }
    } catch (...) {
      add(claims);
      throw;
    }
    add(claims);
    return false;
  }

 private:
  // Few, so that no process has much left to do when the others are done.
  static constexpr std::size_t slice = 16;
  static constexpr auto between_looks = std::chrono::milliseconds(20);

  struct Slice {
    std::vector<std::string> ids;
    Compute compute;
  };

  std::optional<Slice> claim(StageEntry::Claims& claims) {
    std::vector<std::string> ids = claims.next(slice);
    if (ids.empty()) return std::nullopt;
    Compute compute = steps_.begin(ids);
    return Slice{std::move(ids), std::move(compute)};
  }

  void compute(const Slice& one, std::size_t all) {
    values_.push_back(one.compute());
    ids_.insert(ids_.end(), one.ids.begin(), one.ids.end());
    const std::int64_t bytes = steps_.bytes(values_.back());
    bytes_ += bytes;
    if (std::exchange(expected_, true)) return;
    const double each = static_cast<double>(bytes) / static_cast<double>(one.ids.size());
    static_cast<void>(entry_.expect(static_cast<std::int64_t>(each * static_cast<double>(all))));
  }

  void add(StageEntry::Claims& claims) {
    if (ids_.empty()) return;
    const std::vector<std::string> ids = std::exchange(ids_, {});
    steps_.add(entry_, ids, std::exchange(values_, {}));
    claims.release(ids);
    bytes_ = 0;
    pace_.stored();
  }

  StageEntry& entry_;
  Steps steps_;
  FillHooks hooks_;
  PartPace pace_;
  std::vector<std::string> ids_;  // of values_, which are not added yet
  std::vector<Value> values_;
  std::int64_t bytes_ = 0;
  bool expected_ = false;
};

}  // namespace espalier
