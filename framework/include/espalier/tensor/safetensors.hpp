// Tensors in Hugging Face's safetensors format, mapped and written.
//
// A file is a little-endian 64-bit length, that many bytes of JSON, and the tensors' bytes without
// gaps: https://huggingface.co/docs/safetensors. Nothing in a file is trusted before it is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/tensor/dtype.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// Little-endian, row-major. `data` need not be aligned for the type.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  // empty: a scalar
  const std::byte* data = nullptr;
  std::size_t bytes = 0;
};

namespace detail {
struct TensorSet;
}

// One file, or the shards of a folder, as one set of tensors. Copies share the mapping, which lives
// as long as any of them or what keep_alive() gave. Views point into memory that may be written to:
// the writer gets a copy of the page, the file stays as it is.
class SafeTensors {
 public:
  // Throws Error, with up to ten problems, on a file that breaks any rule of the format: header
  // longer than the file or 64 MiB, no JSON object, duplicate names, unknown types, sizes that
  // overflow or do not fit the offsets, gaps, overlaps, bytes that no tensor owns.
  static SafeTensors open(const std::filesystem::path& file);
  // Of a Hugging Face folder: `model.safetensors`, else the shards that
  // `model.safetensors.index.json` names. Throws Error where there is neither, and with all
  // problems of all shards.
  static SafeTensors open_folder(const std::filesystem::path& folder);

  // The file or folder, for messages.
  [[nodiscard]] const std::filesystem::path& path() const;
  // In the order of the file.
  [[nodiscard]] const std::vector<TensorView>& tensors() const;
  [[nodiscard]] std::vector<std::string> names() const;
  // Null where there is none.
  [[nodiscard]] const TensorView* find(std::string_view name) const;
  // Throws Error that gives the nearest name.
  [[nodiscard]] const TensorView& at(std::string_view name) const;
  // Of the file (of a folder: the union, an earlier shard wins).
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const;
  [[nodiscard]] std::shared_ptr<const void> keep_alive() const;

 private:
  explicit SafeTensors(std::shared_ptr<const detail::TensorSet> set) : set_(std::move(set)) {}
  std::shared_ptr<const detail::TensorSet> set_;
};

// Writes to a temporary name, syncs and renames. Widest types first, then by name, as the reference
// writer does: the same tensors give the same bytes, each aligned for its type. Throws Error on a
// duplicate name, on bytes that do not fit the shape, and when the file cannot be written.
void write_safetensors(const std::filesystem::path& file, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace espalier
