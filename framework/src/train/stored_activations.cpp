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

at::ScalarType type_of(StoredAs type) { return type == StoredAs::float32 ? at::kFloat : at::kHalf; }

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

void add_activations(StageEntry& entry, std::span<const std::string> ids, const Activations& rows,
                     StoredAs type) {
  const Activations kept = each_of(rows, [](const at::Tensor& t) { return t.cpu().contiguous(); });
  const at::Tensor states = kept.states.to(type_of(type));
  std::vector<TensorView> views = {view_of("states", states)};
  if (kept.valid.defined()) views.push_back(view_of("valid", kept.valid));
  if (kept.pooled.defined()) views.push_back(view_of("pooled", kept.pooled));
  entry.add(ids, views);
}

at::Tensor StoredActivations::gather(std::span<const std::string> ids, const char* name) const {
  const TensorView* first = rows_of(*entry_->find(ids.front()).part, name);
  if (first == nullptr) return {};
  std::vector<std::int64_t> shape = first->shape;
  shape[0] = std::ssize(ids);
  const at::Tensor rows = at::empty(shape, tensor_type(*first));
  const std::size_t bytes = rows.nbytes() / ids.size();
  auto* to = static_cast<std::byte*>(rows.data_ptr());
  for (const std::string& id : ids) {
    const StageEntry::Place place = entry_->find(id);
    const TensorView* view = rows_of(*place.part, name);
    if (view == nullptr || !same_rows(*view, *first)) refuse(name, "differs between its parts");
    std::memcpy(to, view->data + place.row * bytes, bytes);
    to += bytes;
  }
  return rows;
}

Activations StoredActivations::rows(std::span<const std::string> ids) const {
  const at::Tensor states = gather(ids, "states");
  if (!states.defined()) refuse("states", "is missing");
  return {states.to(at::kFloat), gather(ids, "valid"), gather(ids, "pooled")};
}

ActivationSource::Taken StoredActivations::begin(std::vector<Look> looks) const {
  std::vector<std::string> ids;
  for (const Look& look : looks) ids.push_back(name_(look));
  return [this, ids = std::move(ids)] { return rows(ids); };
}

ActivationSource::Taken RoundedActivations::begin(std::vector<Look> looks) const {
  return [type = type_of(type_), exact = exact_->begin(std::move(looks))] {
    Activations rows = exact();
    rows.states = rows.states.to(type).to(at::kFloat);
    return rows;
  };
}

}  // namespace espalier
