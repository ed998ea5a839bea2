#include "tensor/seal.hpp"
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <optional>

namespace espalier {
namespace {

struct Row {
  DType stored;
  c10::ScalarType tensor;
};

constexpr std::array type_rows{
    Row{DType::boolean, c10::ScalarType::Bool}, Row{DType::u8, c10::ScalarType::Byte},
    Row{DType::i8, c10::ScalarType::Char},      Row{DType::i16, c10::ScalarType::Short},
    Row{DType::i32, c10::ScalarType::Int},      Row{DType::i64, c10::ScalarType::Long},
    Row{DType::f16, c10::ScalarType::Half},     Row{DType::bf16, c10::ScalarType::BFloat16},
    Row{DType::f32, c10::ScalarType::Float},    Row{DType::f64, c10::ScalarType::Double},
};

[[noreturn]] void unsupported(const std::string& name, const std::filesystem::path& where,
                              std::string_view type) {
  throw Error({.what = "tensor \"" + name + "\" has a type that cannot be used",
               .where = where.string(),
               .expected = "BOOL, U8, I8, I16, I32, I64, F16, BF16, F32 or F64",
               .found = std::string(type),
               .fix = "convert the tensor before saving it"});
}

c10::ScalarType scalar_type(const TensorView& view, const std::filesystem::path& where) {
  const auto row =
      std::find_if(type_rows.begin(), type_rows.end(), [&](const Row& r) { return r.stored == view.dtype; });
  if (row == type_rows.end()) unsupported(view.name, where, to_string(view.dtype));
  return row->tensor;
}

DType stored_type(const std::string& name, const at::Tensor& tensor,
                  const std::filesystem::path& where) {
  const auto row = std::find_if(type_rows.begin(), type_rows.end(),
                                [&](const Row& r) { return r.tensor == tensor.scalar_type(); });
  if (row == type_rows.end()) unsupported(name, where, c10::toString(tensor.scalar_type()));
  return row->stored;
}

// CPU copies, contiguous, and what they are.
struct StoredTensors {
  StoredTensors(const std::filesystem::path& file,
                const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
    for (const auto& [name, tensor] : tensors) {
      kept.push_back(tensor.detach().to(c10::kCPU).contiguous());
      const at::Tensor& stored = kept.back();
      views.push_back({name, stored_type(name, stored, file), stored.sizes().vec(),
                       static_cast<const std::byte*>(stored.data_ptr()),
                       static_cast<std::size_t>(stored.numel()) * stored.element_size()});
    }
  }

  std::vector<at::Tensor> kept;
  std::vector<TensorView> views;
};

}  // namespace

at::Tensor to_tensor(const SafeTensors& file, const TensorView& view) {
  const auto options = at::TensorOptions().dtype(scalar_type(view, file.path()));
  if (view.bytes == 0) return at::empty(view.shape, options);
  if (reinterpret_cast<std::uintptr_t>(view.data) % size_of(view.dtype) != 0) {
    at::Tensor copy = at::empty(view.shape, options);
    std::copy_n(view.data, view.bytes, static_cast<std::byte*>(copy.data_ptr()));
    return copy;
  }
  // The mapping behind a view is private and writable.
  void* data = const_cast<std::byte*>(view.data);
  return at::from_blob(
      data, view.shape, [owner = file.keep_alive()](void*) {}, options);
}

at::Tensor to_tensor(const SafeTensors& file, std::string_view name) {
  return to_tensor(file, file.at(name));
}

void write_tensors(const std::filesystem::path& file,
                   const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                   const std::map<std::string, std::string>& metadata) {
  write_safetensors(file, StoredTensors(file, tensors).views, metadata);
}

void write_sealed_tensors(const std::filesystem::path& file,
                          const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                          const std::map<std::string, std::string>& metadata) {
  const StoredTensors stored(file, tensors);
  write_safetensors(file, stored.views, sealed(stored.views, metadata));
}

SafeTensors open_sealed(const std::filesystem::path& file) {
  require_own_file(file);
  SafeTensors tensors = SafeTensors::open(file);
  if (seal_holds(tensors)) return tensors;
  throw Error({.what = "a file was edited or damaged",
               .where = file.string(),
               .expected = {},
               .found = "what it holds has another SHA-256 than it says",
               .fix = {}});
}

}  // namespace espalier
