// Reference values made with PyTorch Geometric, scikit-learn, scipy and faiss, in tests/data/gnn.
#pragma once

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <espalier/core/json.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace espalier::golden {

inline std::string folder(const std::string& name) {
  return std::string(ESPALIER_SOURCE_DIR) + "/tests/data/" + name;
}

inline Json json(const std::string& file) {
  std::ifstream in(folder(file));
  std::stringstream text;
  text << in.rdbuf();
  return parse_json(text.str(), file);
}

class Case {
 public:
  explicit Case(const std::string& name)
      : file_(SafeTensors::open(folder(name) + "/expected.safetensors")),
        meta(json(name + "/meta.json")) {}

  at::Tensor operator[](const std::string& name) const { return to_tensor(file_, name).clone(); }

 private:
  SafeTensors file_;

 public:
  Json meta;
};

// The edges (sources, targets) [2, E] with weights as a graph.
inline CsrGraph graph(const at::Tensor& edge_index, const at::Tensor& weight, std::int64_t targets,
                      std::int64_t sources) {
  std::vector<Edge> edges;
  const auto ends = edge_index.contiguous();
  const auto* source = ends.data_ptr<std::int64_t>();
  const auto* target = source + ends.size(1);
  for (std::int64_t e = 0; e < ends.size(1); ++e) {
    edges.push_back({target[e], source[e], weight.data_ptr<float>()[e]});
  }
  return graph_from_edges(targets, sources, std::move(edges));
}

// Largest difference over max(1, largest expected value): what the golden tolerances mean.
inline double error(const at::Tensor& got, const at::Tensor& expected) {
  if (got.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  if (got.numel() == 0) return 0;
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  return (got.detach() - expected).abs().max().item<double>() / scale;
}

}  // namespace espalier::golden
