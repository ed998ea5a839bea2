// Event files that TensorBoard reads.
#pragma once

#include "results/sweep_table.hpp"
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace espalier {

// Scalars in the order of time, encoded as TensorFlow's event files are: records of a length, a
// payload and their masked CRC-32C (tensorflow/core/lib/io/record_writer), where a payload is a
// tensorflow.Event message (wall_time = 1, step = 2, file_version = 3, summary = 5).
class EventFile {
 public:
  explicit EventFile(double wall_time);

  void add(std::string_view tag, std::int64_t step, double wall_time, double value);
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

// One run a trial that has metrics, in folders below `folder` that are named after the axes.
// Earlier runs of the same trials are replaced. Returns how many were written.
std::size_t write_tensorboard(const SweepTable& sweep, const std::filesystem::path& folder);

}  // namespace espalier
