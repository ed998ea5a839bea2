#include "train/stored_activations.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <espalier/core/error.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier {
namespace {

constexpr std::pair<DType, at::ScalarType> types[] = {{DType::f32, at::kFloat},
                                                      {DType::f16, at::kHalf},
                                                      {DType::i64, at::kLong},
                                                      {DType::boolean, at::kBool}};

DType stored_type(at::ScalarType type) {
  for (const auto& [stored, tensor] : types) {
    if (tensor == type) return stored;
  }
  ESPALIER_ASSERT(false, "a type of activations");
}

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error({.what = "stored activations cannot be used: `" + name + "` " + why,
               .where = {},
               .expected = {},
               .found = {},
               .fix = "espalier cache prune --older 0 removes what is there"});
}

at::ScalarType tensor_type(const TensorView& view) {
  for (const auto& [stored, tensor] : types) {
    if (stored == view.dtype) return tensor;
  }
  refuse(view.name, "is of type " + std::string(to_string(view.dtype)));
}

TensorView view_of(const char* name, const at::Tensor& tensor) {
  return {.name = name,
          .dtype = stored_type(tensor.scalar_type()),
          .shape = tensor.sizes().vec(),
          .data = static_cast<const std::byte*>(tensor.data_ptr()),
          .bytes = tensor.nbytes()};
}

// The rows of one part; null where it has no tensor of that name.
const TensorView* rows_of(const StagePart& part, const char* name) {
  const TensorView* view = part.find(name);
  if (view == nullptr) return nullptr;
  const auto samples = static_cast<std::int64_t>(part.ids().size());
  if (view->shape.empty() || view->shape[0] != samples) refuse(name, "has not a row a sample");
  return view;
}

bool same_rows(const TensorView& a, const TensorView& b) {
  return a.dtype == b.dtype &&
         std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1, b.shape.end());
}

}  // namespace

std::string row_id(const Look& look) { return std::to_string(look_id(look)); }

void add_activations(StageEntry& entry, std::span<const Look> looks, const Activations& rows,
                     StoredAs type) {
  std::vector<std::string> ids;
  for (const Look& look : looks) ids.push_back(row_id(look));
  const at::ScalarType states = type == StoredAs::float32 ? at::kFloat : at::kHalf;
  const at::Tensor kept[] = {rows.states.cpu().to(states).contiguous(),
                             rows.valid.defined() ? rows.valid.cpu().contiguous() : rows.valid,
                             rows.pooled.defined() ? rows.pooled.cpu().contiguous() : rows.pooled};
  std::vector<TensorView> views = {view_of("states", kept[0])};
  if (kept[1].defined()) views.push_back(view_of("valid", kept[1]));
  if (kept[2].defined()) views.push_back(view_of("pooled", kept[2]));
  entry.add(ids, views);
}

at::Tensor StoredActivations::gather(std::span<const Look> looks, const char* name) const {
  const TensorView* first = rows_of(*entry_->find(row_id(looks.front())).part, name);
  if (first == nullptr) return {};
  std::vector<std::int64_t> shape = first->shape;
  shape[0] = std::ssize(looks);
  const at::Tensor rows = at::empty(shape, tensor_type(*first));
  const std::size_t bytes = rows.nbytes() / looks.size();
  auto* to = static_cast<std::byte*>(rows.data_ptr());
  for (const Look& look : looks) {
    const StageEntry::Place place = entry_->find(row_id(look));
    const TensorView* view = rows_of(*place.part, name);
    if (view == nullptr || !same_rows(*view, *first)) refuse(name, "differs between its parts");
    std::memcpy(to, view->data + place.row * bytes, bytes);
    to += bytes;
  }
  return rows;
}

Activations StoredActivations::at(std::span<const Look> looks) const {
  const at::Tensor states = gather(looks, "states");
  if (!states.defined()) refuse("states", "is missing");
  return {states.to(at::kFloat), gather(looks, "valid"), gather(looks, "pooled")};
}

}  // namespace espalier
