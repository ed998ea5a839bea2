// Rows of some samples, as an entry of the cache holds them: a safetensors file with an index of
// samples, a version of the layout, and a checksum of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/tensor/safetensors.hpp>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace espalier {

class StagePart {
 public:
  // Why a file cannot be used.
  struct Fault {
    bool newer = false;  // a newer version wrote it; else it is damaged
    std::string reason;
  };
  // Maps a part and verifies all of it.
  static std::variant<StagePart, Fault> open(const std::filesystem::path& file);
  // In memory alone, as a copy.
  StagePart(std::span<const std::size_t> samples, std::span<const TensorView> tensors);

  // Throws Error when it cannot be written.
  void write(const std::filesystem::path& file) const;

  [[nodiscard]] const std::vector<std::size_t>& samples() const noexcept { return samples_; }
  // Null where there is none.
  [[nodiscard]] const TensorView* find(std::string_view name) const;
  // Throws Error where there is none.
  [[nodiscard]] const TensorView& at(std::string_view name) const;
  [[nodiscard]] std::string checksum() const;

  // Of a file that need not be intact, without reading its rows; 0 where there is no telling.
  [[nodiscard]] static std::int64_t count_samples(const std::filesystem::path& file);

 private:
  StagePart() = default;

  std::vector<std::size_t> samples_;
  std::vector<TensorView> tensors_;
  std::shared_ptr<const void> owner_;  // of the tensors' bytes
};

}  // namespace espalier
