// The small models of tests/data/encoders with their reference inputs.
#pragma once

#include <ATen/TensorOperators.h>

#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <memory>
#include <string>

#include "cases.hpp"

namespace espalier::cases {

inline bool same(const at::Tensor& a, const at::Tensor& b) { return a.equal(b); }

inline double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

struct Model {
  explicit Model(const std::string& name)
      : encoder(load_pretrained(encoder_case(name))),
        inputs(read_named_tensors(encoder_case(name) / "expected.safetensors")) {}

  [[nodiscard]] at::Tensor image() const {
    return forward(*encoder->image(), inputs.at("pixel_values")).feature;
  }
  [[nodiscard]] at::Tensor text() const {
    return forward(*encoder->text(), {inputs.at("input_ids"), {}, {}}).feature;
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  NamedTensors inputs;
};

}  // namespace espalier::cases
