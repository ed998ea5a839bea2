#include "train/penalty.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/tensor/dtype.hpp>

namespace espalier {
namespace {

// The tensor of that name, which must be as large as `like`.
const at::Tensor& find(const std::vector<Parameters::Entry>& entries, const std::string& name,
                       const at::Tensor& like, const std::string& where) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Parameters::Entry& e) { return e.first == name; });
  if (found != entries.end() && found->second.sizes() == like.sizes()) return found->second;
  throw Error({.what = "elastic weight consolidation anchors \"" + name + "\", and " + where +
                       " has none of its shape",
               .where = {},
               .expected = shape_text(like.sizes()),
               .found = found == entries.end() ? "no such name" : shape_text(found->second.sizes()),
               .fix = "anchor a training of the same model"});
}

}  // namespace

ElasticPenalty::ElasticPenalty(double lambda, std::vector<Parameters::Entry> anchor,
                               std::vector<Parameters::Entry> fisher)
    : lambda_(lambda), anchor_(std::move(anchor)) {
  for (const auto& [name, theta] : anchor_) {
    fisher_.emplace_back(name, find(fisher, name, theta, "the Fisher information"));
  }
}

at::Tensor ElasticPenalty::operator()(const Parameters& parameters) const {
  at::Tensor sum = at::zeros({}, at::kFloat);
  for (std::size_t i = 0; i < anchor_.size(); ++i) {
    const auto& [name, theta] = anchor_[i];
    const at::Tensor now = find(parameters.entries(), name, theta, "the model");
    sum = sum + (fisher_[i].second * (now - theta).square()).sum();
  }
  return sum * (lambda_ / 2);
}

}  // namespace espalier
