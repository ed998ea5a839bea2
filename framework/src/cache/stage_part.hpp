// Rows of some samples, as an entry of the cache holds them: a safetensors file with the samples'
// ids, the settings that the rows were made under, a version of the layout, and a checksum of its
// own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/core/json.hpp>
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
  // In memory alone, as a copy: `tensors` have one row for each of `ids` in their first dimension.
  StagePart(std::span<const std::string> ids, std::span<const TensorView> tensors,
            const Json& settings);

  // Throws Error when it cannot be written.
  void write(const std::filesystem::path& file) const;

  [[nodiscard]] const std::vector<std::string>& ids() const noexcept { return ids_; }
  [[nodiscard]] const Json& settings() const noexcept { return settings_; }
  // Null where there is none.
  [[nodiscard]] const TensorView* find(std::string_view name) const;
  // Throws Error where there is none.
  [[nodiscard]] const TensorView& at(std::string_view name) const;
  [[nodiscard]] std::string checksum() const;

  // Of a file that need not be intact, without reading its rows; 0 where there is no telling.
  [[nodiscard]] static std::int64_t count_samples(const std::filesystem::path& file);

 private:
  StagePart() = default;

  std::vector<std::string> ids_;
  Json settings_;
  std::vector<TensorView> tensors_;
  std::shared_ptr<const void> owner_;  // of the tensors' bytes
};

// Texts one after the other, and where each ends.
struct PackedTexts {
  std::vector<std::int64_t> end;
  std::string bytes;

  explicit PackedTexts(std::span<const std::string> texts);
  // Named `name`_end, int64 [texts], and `name`_bytes; they look into this object.
  [[nodiscard]] std::vector<TensorView> views(const std::string& name) const;
};
// Text `row` of such a pair, which may come from anywhere. Throws Error where it lies outside.
[[nodiscard]] std::string packed_text(const TensorView& end, const TensorView& bytes,
                                      std::size_t row);

}  // namespace espalier
