// Types of the elements of stored tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace espalier {

enum class DType : std::uint8_t {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f16,
  bf16,
  f32,
  f64,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
};

// safetensors' name, such as `BF16`.
[[nodiscard]] std::string_view to_string(DType dtype);
// Empty for a name that the format does not have, or that is not a whole number of bytes wide.
[[nodiscard]] std::optional<DType> dtype_of(std::string_view name);
// Bytes an element.
[[nodiscard]] std::size_t size_of(DType dtype);

// "[2, 3]", for messages.
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);
// Bytes of a tensor; empty where a size is negative or the product does not fit.
[[nodiscard]] std::optional<std::size_t> byte_count(DType dtype,
                                                    std::span<const std::int64_t> shape);

}  // namespace espalier
