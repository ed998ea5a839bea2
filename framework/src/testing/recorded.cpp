#include "recorded_internal.hpp"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier::conformance {

const at::Tensor& Recorded::operator[](const std::string& name) const {
  if (has(name)) return expected_.at(name);
  throw Error({.what = "a recorded case lacks a tensor",
               .where = "expected.safetensors",
               .expected = name,
               .found = {},
               .fix = {}});
}

void Recorded::compare(const std::string& name, const at::Tensor& actual, double tolerance,
                       const std::string& prefix) {
  const auto found = expected_.find(name);
  if (found == expected_.end()) return;
  TensorDifference row = compare_tensors(prefix + name, found->second,
                                         actual.defined() ? actual.detach() : actual, tolerance);
  if (row.failure.empty() && found->second.numel() > 0) {
    const double scale = found->second.abs().max().to(at::kDouble).item<double>();
    row.relative = row.absolute / std::max(1.0, scale);
  }
  rows_.push_back(std::move(row));
}

}  // namespace espalier::conformance
