#include "train/consolidation.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/json.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <utility>

namespace espalier {

void Consolidation::add(Anchor anchor) {
  penalties_.emplace_back(lambda_, anchor.parameters, anchor.fisher);
  anchors_.push_back(std::move(anchor));
}

at::Tensor Consolidation::operator()(const Parameters& parameters) const {
  at::Tensor sum = at::zeros({}, at::kFloat);
  for (const ElasticPenalty& penalty : penalties_) sum = sum + penalty(parameters);
  return sum;
}

void Consolidation::save(const std::filesystem::path& folder,
                         std::map<std::string, std::string> facts) const {
  if (anchors_.empty()) return;
  std::vector<Parameters::Entry> tensors;
  for (const Anchor& anchor : anchors_) {
    for (const auto& [name, theta] : anchor.parameters) {
      tensors.emplace_back(anchor.source + ".anchor." + name, theta);
    }
    for (const auto& [name, fisher] : anchor.fisher) {
      tensors.emplace_back(anchor.source + ".fisher." + name, fisher);
    }
  }
  facts["espalier.ewc"] = Json(lambda_).dump();
  std::filesystem::create_directories(folder);
  write_tensors(folder / "ewc.safetensors", tensors, facts);
}

}  // namespace espalier
