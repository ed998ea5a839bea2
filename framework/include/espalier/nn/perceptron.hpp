// Linear maps with an activation between them.
#pragma once

#include <cstdint>
#include <espalier/nn/linear.hpp>
#include <espalier/nn/mode.hpp>
#include <string>
#include <vector>

namespace espalier {

class Perceptron {
 public:
  // `names` are those of the maps, `widths` one more: what enters each, and what leaves the last.
  void init(const std::vector<std::string>& names, const std::vector<std::int64_t>& widths,
            const std::string& activation, Parameters& parameters, Random& random);
  // `layers` maps `layers.L`, all to `out` columns.
  void init(std::int64_t layers, std::int64_t in, std::int64_t out, const std::string& activation,
            Parameters& parameters, Random& random);

  // x [n, widths.front()] to [n, widths.back()], without maps x itself. In training the share
  // `dropout` of each map's inputs is set to 0.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, double dropout, const Mode& mode) const;

  // From the output of the first map on, for those who compute that otherwise.
  [[nodiscard]] at::Tensor after_first(const at::Tensor& h) const;
  [[nodiscard]] const Linear& first() const { return maps_.front(); }

 private:
  std::vector<std::string> names_;
  std::vector<Linear> maps_;
  std::string activation_;
};

}  // namespace espalier
