// Values of a recorded case beside those that are computed here.
#pragma once

#include <espalier/nn/encoder_parity.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier::conformance {

class Recorded {
 public:
  explicit Recorded(NamedTensors expected) : expected_(std::move(expected)) {}

  [[nodiscard]] bool has(const std::string& name) const { return expected_.contains(name); }
  // Throws Error where the case lacks it.
  [[nodiscard]] const at::Tensor& operator[](const std::string& name) const;

  // Notes the difference where the case has a value of this name, behind `prefix`. Undefined
  // tensors are missing.
  void compare(const std::string& name, const at::Tensor& actual, double tolerance,
               const std::string& prefix = "");
  [[nodiscard]] std::vector<TensorDifference> take_rows() { return std::move(rows_); }

 private:
  NamedTensors expected_;
  std::vector<TensorDifference> rows_;
};

}  // namespace espalier::conformance
