// A graph network with its parameters, run on whole graphs and on attached nodes.
#pragma once

#include <espalier/plugin/gnn.hpp>
#include <espalier/testing/conformance.hpp>
#include <memory>
#include <vector>

namespace espalier::conformance {

// How many classes a network is told of.
inline constexpr std::int64_t toy_classes = 3;

class Network {
 public:
  // Made from the stream `init` of `seed`.
  Network(const Subject& subject, std::int64_t width, std::int64_t seed = 1);

  [[nodiscard]] const Gnn& gnn() const noexcept { return *gnn_; }
  [[nodiscard]] const Parameters& parameters() const noexcept { return parameters_; }

  // Gives every parameter the value that stands at its place; names and shapes are its own.
  void restore(const std::vector<Parameters::Entry>& values) { parameters_.restore(values); }
  // Moves every parameter by a little noise, so that what starts at zero takes part.
  void disturb();
  void clear_gradients();
  // Turns every parameter into float64.
  void to_double();

  // On a square graph.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const CsrGraph& graph,
                                   const Mode& mode = {}) const;
  // Queries attached to a support by a rectangular graph; source_degree is set here.
  [[nodiscard]] at::Tensor attach(const at::Tensor& support, const CsrGraph& among_support,
                                  const at::Tensor& queries, CsrGraph to_queries) const;

 private:
  std::shared_ptr<Gnn> gnn_;
  Parameters parameters_;
};

// Compares the gradients of a random projection of y = network(x) with central differences, in
// float64, at some entries of every parameter and of x. Throws Violation that names the worst.
void check_gradients(Network& network, const at::Tensor& x, const CsrGraph& graph);

}  // namespace espalier::conformance
