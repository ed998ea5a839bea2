#include "tensor/seal.hpp"

#include <algorithm>
#include <espalier/core/hash.hpp>
#include <vector>

namespace espalier {
namespace {

constexpr const char* seal_name = "sha256";

// With its length, so that no other pieces give the same bytes.
void hash_piece(Sha256& hash, std::string_view piece) {
  hash.update(std::to_string(piece.size()) + ":");
  hash.update(piece);
}

}  // namespace

std::string seal_of(std::span<const TensorView> tensors, const Metadata& metadata) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const TensorView* a, const TensorView* b) { return a->name < b->name; });
  Sha256 hash;
  for (const auto& [name, value] : metadata) {
    if (name == seal_name) continue;
    hash_piece(hash, name);
    hash_piece(hash, value);
  }
  for (const TensorView* tensor : order) {
    hash_piece(hash, tensor->name);
    hash_piece(hash, to_string(tensor->dtype));
    hash_piece(hash, shape_text(tensor->shape));
    hash_piece(hash, {reinterpret_cast<const char*>(tensor->data), tensor->bytes});
  }
  return hex(hash.finish());
}

Metadata sealed(std::span<const TensorView> tensors, Metadata metadata) {
  metadata[seal_name] = seal_of(tensors, metadata);
  return metadata;
}

bool seal_holds(const SafeTensors& file) {
  const auto seal = file.metadata().find(seal_name);
  return seal != file.metadata().end() && seal->second == seal_of(file.tensors(), file.metadata());
}

}  // namespace espalier
