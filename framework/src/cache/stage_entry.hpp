// Results of expensive steps on disk, shared by all trials of all sweeps.
//
// An entry is a folder `<cache>/<stage>/<key>` of parts, whose rows are named by the ids of their
// samples. Parts are written once, by a temporary name, and never changed. Whoever lacks rows
// claims some of them, computes and stores them, while others do so with the rest (entry_lock.hpp).
// Beside the parts lie `lock`, whose time is that of the last use, and `about.json`, which says
// what the entry was made of.
#pragma once

#include "cache/entry_lock.hpp"
#include "cache/part_shelf.hpp"
#include <cstddef>
#include <cstdint>
#include <deque>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace espalier {

inline constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

// How a process uses the cache.
struct StageStorage {
  std::filesystem::path cache;     // results/.cache
  std::int64_t limit = unlimited;  // bytes of all entries together, of which more are not stored
  std::function<void(const std::string&)> warn;                      // gets one line
  std::shared_ptr<PartShelf> shelf = std::make_shared<PartShelf>();  // what was verified before
  // Called before rows are kept: throws Error where what they were made of has changed.
  std::function<void()> check = [] {};
};

class StageEntry {
 public:
  // Writes nothing but to remove a damaged part, with a warning. One of a newer version is left
  // alone and not used. `about` is kept with the first part. Throws Error where parts were made
  // under different settings.
  StageEntry(const StageStorage& storage, std::string stage, std::string_view key, Json about);

  // Those of `ids` that no part holds, in the order given, each once.
  [[nodiscard]] std::vector<std::string> missing(std::span<const std::string> ids) const;

  // How many samples parts hold.
  [[nodiscard]] std::int64_t size() const noexcept { return std::ssize(places_); }

  // Where a sample's rows are, as long as this object lives.
  struct Place {
    const StagePart* part = nullptr;
    std::size_t row = 0;
  };
  // The sample must not be missing.
  [[nodiscard]] Place find(const std::string& id) const;

  // What rows are computed under from now on, such as {"precision": "Float"}. Throws Error where
  // those that are there were made under other settings: they are never mixed.
  void use(const Json& settings);

  // Whether so many bytes can be stored: there is room below the limit and on the disk, and the
  // folder can be written. If not, says so, and add() no longer stores.
  bool expect(std::int64_t bytes);

  // Adds a part: `tensors` have one row for each of `ids` in their first dimension. Stored unless
  // that fails, which it says; then kept by this object alone. The ids must be claimed.
  void add(std::span<const std::string> ids, std::span<const TensorView> tensors);

  // Hands out missing samples to whoever computes them, each to one process at a time.
  class Claims {
   public:
    // Of `wanted`. Where the entry cannot be written, all of them are for this process.
    Claims(StageEntry& entry, std::span<const std::string> wanted);
    Claims(const Claims&) = delete;
    Claims& operator=(const Claims&) = delete;
    // Frees what was claimed. An entry in which nothing was stored goes.
    ~Claims();

    // At most so many that no part holds and nobody has claimed; none: others have the rest, or
    // there is no rest. Looks for parts that others stored.
    [[nodiscard]] std::vector<std::string> next(std::size_t most);
    // After they were added.
    void release(std::span<const std::string> ids);
    // Of those wanted, the ones stored, claimed here, or left to others.
    [[nodiscard]] std::size_t seen() const noexcept { return wanted_.size() - rest_.size(); }

   private:
    [[nodiscard]] bool join();
    void take(std::deque<std::string>& from, std::size_t most, std::vector<std::string>& taken);

    StageEntry& entry_;
    std::vector<std::string> wanted_;
    std::deque<std::string> rest_;    // not looked at yet
    std::deque<std::string> others_;  // that others had claimed
  };

 private:
  [[nodiscard]] bool holds(const std::string& id) const { return places_.contains(id); }
  void read_parts();
  void place(std::shared_ptr<const StagePart> part);
  void accept(const Json& settings);
  [[nodiscard]] bool store(const StagePart& part);
  void stop_storing(const std::string& why);
  // Frees all claims. An entry in which nothing was stored goes.
  void leave();

  StageStorage storage_;
  std::string stage_;
  std::filesystem::path folder_;
  Json about_;
  Json settings_;  // null: not known yet
  bool storing_ = true;
  EntryLock lock_;
  std::set<std::filesystem::path> seen_;  // files that were read or written
  std::deque<std::shared_ptr<const StagePart>> parts_;
  std::unordered_map<std::string, Place> places_;
};

}  // namespace espalier
