#include <algorithm>
#include <array>
#include <espalier/tensor/dtype.hpp>

namespace espalier {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array rows{
    Row{DType::boolean, "BOOL", 1},
    Row{DType::u8, "U8", 1},
    Row{DType::i8, "I8", 1},
    Row{DType::u16, "U16", 2},
    Row{DType::i16, "I16", 2},
    Row{DType::u32, "U32", 4},
    Row{DType::i32, "I32", 4},
    Row{DType::u64, "U64", 8},
    Row{DType::i64, "I64", 8},
    Row{DType::f16, "F16", 2},
    Row{DType::bf16, "BF16", 2},
    Row{DType::f32, "F32", 4},
    Row{DType::f64, "F64", 8},
    Row{DType::f8_e4m3, "F8_E4M3", 1},
    Row{DType::f8_e5m2, "F8_E5M2", 1},
    Row{DType::f8_e8m0, "F8_E8M0", 1},
    Row{DType::f8_e4m3fnuz, "F8_E4M3FNUZ", 1},
    Row{DType::f8_e5m2fnuz, "F8_E5M2FNUZ", 1},
};

const Row& row_of(DType dtype) { return rows[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view to_string(DType dtype) { return row_of(dtype).name; }

std::size_t size_of(DType dtype) { return row_of(dtype).size; }

std::optional<DType> dtype_of(std::string_view name) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
  return row == rows.end() ? std::nullopt : std::optional(row->dtype);
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(size);
  }
  return text + "]";
}

std::optional<std::size_t> byte_count(DType dtype, std::span<const std::int64_t> shape) {
  std::size_t bytes = size_of(dtype);
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<std::size_t>(size), &bytes))
      return {};
  }
  return bytes;
}

}  // namespace espalier
