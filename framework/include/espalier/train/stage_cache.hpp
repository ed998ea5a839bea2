// Results of expensive steps on disk, shared by all trials of all sweeps.
//
// An entry is a folder `<cache>/<stage>/<key>` of parts, each a safetensors file with rows for some
// samples and its own checksum. Parts are written once, by a temporary name, and never changed. One
// process at a time fills an entry, the others wait and then find the rows there.
#pragma once

#include <cstddef>
#include <espalier/data/safetensors.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <spdlog/fwd.h>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

class StageEntry {
 public:
  // Opens the entry, making its folder. A damaged part is logged and removed.
  StageEntry(const std::filesystem::path& cache, std::string_view stage, std::string_view key,
             spdlog::logger& log);

  // Those of `samples` that no part holds, in the order given, each once.
  [[nodiscard]] std::vector<std::size_t> missing(std::span<const std::size_t> samples) const;

  // Adds a part: `tensors` have one row for each of `samples` in their first dimension. Needs the
  // lock.
  void add(std::span<const std::size_t> samples, std::span<const TensorView> tensors);

  // Where a sample's rows are.
  struct Place {
    const SafeTensors* part = nullptr;
    std::size_t row = 0;
  };
  // The sample must not be missing.
  [[nodiscard]] Place find(std::size_t sample) const;

  // Holds the entry for this process while it lives. `waiting` is called about every 50 ms while
  // another process has it; it ends the wait by returning false, and the lock is then not held.
  class Lock {
   public:
    Lock(StageEntry& entry, const std::function<bool()>& waiting);
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock();
    [[nodiscard]] bool held() const noexcept { return held_; }

   private:
    int descriptor_;
    bool held_ = false;
  };

 private:
  void read_parts();
  bool take(const std::filesystem::path& file);

  std::filesystem::path folder_;
  spdlog::logger& log_;
  std::map<std::filesystem::path, std::unique_ptr<SafeTensors>> parts_;
  std::map<std::size_t, Place> places_;
};

}  // namespace espalier
