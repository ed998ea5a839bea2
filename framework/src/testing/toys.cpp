#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/nan_to_num.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

Image noise(std::int64_t width, std::int64_t height, Random& random) {
  Image image{width, height, {}};
  image.rgb.resize(static_cast<std::size_t>(3 * width * height));
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return image;
}

}  // namespace

at::Tensor normal_tensor(at::IntArrayRef sizes, Random& random) {
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  auto* values = tensor.data_ptr<float>();
  std::generate_n(values, tensor.numel(), [&] { return static_cast<float>(random.normal()); });
  return tensor;
}

CsrGraph random_graph(std::int64_t nodes, double degree, Random& random) {
  std::vector<Edge> edges;
  for (std::int64_t target = 0; target < nodes; ++target) {
    for (std::int64_t source = 0; source < nodes; ++source) {
      const bool joined = random.uniform() * static_cast<double>(nodes) < degree;
      const auto weight = static_cast<float>(random.uniform(0.1, 1));
      const auto relation = static_cast<std::int8_t>((target + 2 * source) % 4);
      if (joined && source != target) edges.push_back({target, source, weight, relation});
    }
  }
  return graph_from_edges(nodes, nodes, std::move(edges), true);
}

std::vector<std::int64_t> random_order(std::int64_t n, Random& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(std::span(order));
  return order;
}

CsrGraph reorder(const CsrGraph& graph, const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> place(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  std::vector<Edge> edges = edges_of(graph);
  for (Edge& edge : edges) {
    edge.target = place[static_cast<std::size_t>(edge.target)];
    edge.source = place[static_cast<std::size_t>(edge.source)];
  }
  CsrGraph moved =
      graph_from_edges(graph.targets, graph.sources, std::move(edges), graph.relation.defined());
  if (graph.label.defined()) moved.label = graph.label.index_select(0, index_tensor(order));
  return moved;
}

at::Tensor index_tensor(const std::vector<std::int64_t>& order) {
  return at::tensor(at::ArrayRef<std::int64_t>(order), at::kLong);
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() &&
         at::equal(a.isnan(), b.isnan()) && at::equal(at::nan_to_num(a), at::nan_to_num(b));
}

bool close(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  if (a.sizes() != b.sizes()) return false;
  if (a.numel() == 0) return true;
  const double scale = std::max(1.0, b.abs().max().item<double>());
  const double difference = (a - b).abs().max().item<double>();
  return difference <= tolerance * scale;  // false where it is NaN
}

bool finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

bool same_graph(const CsrGraph& a, const CsrGraph& b, double tolerance) {
  return a.targets == b.targets && a.sources == b.sources && at::equal(a.rowptr, b.rowptr) &&
         at::equal(a.col, b.col) && close(a.weight, b.weight, tolerance);
}

std::string shape_of(const at::Tensor& tensor) {
  std::string text = "[";
  for (const std::int64_t size : tensor.sizes()) {
    text += (text.size() == 1 ? "" : ", ") + std::to_string(size);
  }
  return text + "]";
}

std::vector<Image> some_images() {
  Random random(std::uint64_t{11});
  return {noise(48, 32, random), noise(33, 57, random), noise(1, 1, random), noise(200, 3, random),
          noise(64, 64, random)};
}

std::vector<std::string> some_texts() {
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "a flower with many petals, ";
  return {"a photo of a flower", "", "five blue petals around a yellow centre", longest,
          "\xe8\x8a\xb1 \xd9\x88\xd8\xb1\xd8\xaf\xd8\xa9 \xf0\x9f\x8c\xb8"};
}

}  // namespace espalier::conformance
