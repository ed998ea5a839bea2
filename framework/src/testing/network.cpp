#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <espalier/plugin/gnn_states.hpp>

#include "network_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

// In float64 the difference quotient is off by about step^2 and rounding / step, below 1e-8; a
// wrong gradient is off by much more than the tolerance. The smaller the step, the rarer a kink
// (relu, a maximum) lies within it.
constexpr double step = 1e-6;
constexpr double gradient_tolerance = 1e-5;
constexpr std::int64_t entries_looked_at = 10;

CsrGraph in_double(const CsrGraph& graph) {
  CsrGraph copy = graph;
  copy.weight = graph.weight.to(at::kDouble);
  return copy;
}

// Entries of `tensor` that are spread over it.
std::vector<std::int64_t> some_entries(const at::Tensor& tensor) {
  std::vector<std::int64_t> entries;
  const std::int64_t count = std::min(tensor.numel(), entries_looked_at);
  for (std::int64_t i = 0; i < count; ++i) entries.push_back(i * tensor.numel() / count);
  return entries;
}

template <class Loss>
double difference_quotient(const at::Tensor& leaf, std::int64_t entry, const Loss& loss) {
  const c10::NoGradGuard no_grad;
  double& value = leaf.view({-1})[entry].data_ptr<double>()[0];
  const double kept = value;
  value = kept + step;
  const double above = loss().template item<double>();
  value = kept - step;
  const double below = loss().template item<double>();
  value = kept;
  return (above - below) / (2 * step);
}

}  // namespace

Network::Network(const Subject& subject, std::int64_t width, std::int64_t seed)
    : gnn_(subject.make<Gnn>(seed)) {
  gnn_->expect_classes(toy_classes);
  Random random(seed, "init");
  gnn_->init(width, parameters_, random);
}

void Network::disturb() {
  const c10::NoGradGuard no_grad;
  Random random(std::uint64_t{77});
  for (const auto& [name, tensor] : parameters_.entries()) {
    at::Tensor target = tensor;
    target.add_(normal_tensor(tensor.sizes(), random), 0.3);
  }
}

void Network::clear_gradients() {
  for (const auto& [name, tensor] : parameters_.entries()) tensor.mutable_grad() = at::Tensor();
}

void Network::to_double() {
  for (const auto& [name, tensor] : parameters_.entries()) {
    tensor.set_data(tensor.to(at::kDouble));
  }
}

at::Tensor Network::forward(const at::Tensor& x, const CsrGraph& graph, const Mode& mode) const {
  return run_gnn(*gnn_, x, graph, mode).output;
}

at::Tensor Network::attach(const at::Tensor& support, const CsrGraph& among_support,
                           const at::Tensor& queries, CsrGraph to_queries) const {
  to_queries.source_degree = in_degree(among_support);
  return attach_to_gnn(*gnn_, run_gnn(*gnn_, support, among_support, {}), queries, to_queries);
}

void check_gradients(Network& network, const at::Tensor& x, const CsrGraph& graph) {
  network.to_double();
  const CsrGraph g = in_double(graph);
  const at::Tensor input = x.to(at::kDouble).clone();
  Random random(std::uint64_t{3});
  const at::Tensor direction =
      normal_tensor({x.size(0), network.gnn().out_width()}, random).to(at::kDouble);
  const auto loss = [&] { return (network.forward(input, g) * direction).sum(); };

  input.set_requires_grad(true);
  loss().backward();
  std::vector<Parameters::Entry> leaves = network.parameters().entries();
  leaves.emplace_back("the input", input);
  for (const auto& [name, leaf] : leaves) {
    const at::Tensor gradient = leaf.grad();
    expect(gradient.defined(), name + " gets no gradient");
    for (const std::int64_t entry : some_entries(leaf)) {
      const double numeric = difference_quotient(leaf, entry, loss);
      const double analytic = gradient.reshape({-1})[entry].item<double>();
      expect(std::abs(numeric - analytic) <= gradient_tolerance * std::max(1.0, std::abs(numeric)),
             "the gradient of " + name + " is " + std::to_string(analytic) +
                 " and the difference quotient " + std::to_string(numeric));
    }
  }
}

}  // namespace espalier::conformance
