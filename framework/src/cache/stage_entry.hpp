// Results of expensive steps on disk, shared by all trials of all sweeps.
//
// An entry is a folder `<cache>/<stage>/<key>` of parts. Parts are written once, by a temporary
// name, and never changed. One process at a time fills an entry, the others wait and then find the
// rows there. Beside the parts lie `lock`, whose time is that of the last use, and `about.json`,
// which says what the entry was made of.
#pragma once

#include "cache/stage_part.hpp"
#include <cstddef>
#include <cstdint>
#include <deque>
#include <espalier/core/descriptor.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

inline constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

// How a process uses the cache.
struct StageStorage {
  std::filesystem::path cache;     // results/.cache
  std::int64_t limit = unlimited;  // bytes of all entries together, of which more are not stored
  std::function<void(const std::string&)> warn;  // gets one line
  // Called before rows are kept: throws Error where what they were made of has changed.
  std::function<void()> check = [] {};
};

class StageEntry {
 public:
  // Writes nothing but to remove a damaged part, with a warning. One of a newer version is left
  // alone and not used. `about` is kept with the first part.
  StageEntry(const StageStorage& storage, std::string stage, std::string_view key, Json about);

  // Those of `samples` that no part holds, in the order given, each once.
  [[nodiscard]] std::vector<std::size_t> missing(std::span<const std::size_t> samples) const;

  // Where a sample's rows are, as long as this object lives.
  struct Place {
    const StagePart* part = nullptr;
    std::size_t row = 0;
  };
  // The sample must not be missing.
  [[nodiscard]] Place find(std::size_t sample) const;

  // Holds the entry for this process while it lives. `waiting` is called about every 50 ms while
  // another process has it; it ends the wait by returning false.
  class Lock {
   public:
    Lock(StageEntry& entry, const std::function<bool()>& waiting);
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { release(); }
    [[nodiscard]] bool given_up() const noexcept { return given_up_; }
    void release();

   private:
    [[nodiscard]] bool open();
    [[nodiscard]] bool take(const std::function<bool()>& waiting);

    StageEntry& entry_;
    Descriptor lock_;
    bool held_ = false;
    bool given_up_ = false;
  };

  // Whether so many bytes can be stored: there is room below the limit and on the disk, and the
  // folder can be written. If not, says so, and add() no longer stores.
  bool expect(std::int64_t bytes);

  // Adds a part: `tensors` have one row for each of `samples` in their first dimension. Stored
  // while the lock is held, unless that fails, which it says; else kept by this object alone.
  void add(std::span<const std::size_t> samples, std::span<const TensorView> tensors);

 private:
  void read_parts();
  void place(StagePart part);
  [[nodiscard]] bool store(const StagePart& part);
  void stop_storing(const std::string& why);

  StageStorage storage_;
  std::string stage_;
  std::filesystem::path folder_;
  Json about_;
  bool storing_ = true;
  std::set<std::filesystem::path> seen_;  // files that were read or written
  std::deque<StagePart> parts_;
  std::map<std::size_t, Place> places_;
};

}  // namespace espalier
