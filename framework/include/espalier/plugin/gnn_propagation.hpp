// Networks that propagate by the normalised adjacency P of gcn, step by step, what a perceptron on
// each node predicts.
#pragma once

#include <espalier/graph/coefficients.hpp>
#include <espalier/nn/activation.hpp>
#include <espalier/nn/perceptron.hpp>
#include <espalier/plugin/gnn.hpp>
#include <string>

namespace espalier {

struct PropagationParams {
  std::int64_t steps = 10;
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  double dropout = 0.0;
  std::string activation = "relu";
  bool self_loops = true;
  double drop_edge = 0.0;
  std::string negative_weights = "refuse";
};

template <class Params>
void bind_propagation(Schema<Params>& s) {
  s.template field<std::int64_t>("steps", &Params::steps)
      .range(1, 1000)
      .doc("How many edges far states travel");
  s.template field<std::int64_t>("layers", &Params::layers)
      .range(0, 64)
      .doc(
          "Linear layers on each node before, the activation between them; 0 for its own features");
  s.template field<std::int64_t>("hidden", &Params::hidden)
      .range(0, 65536)
      .only_if("layers > 0")
      .doc("Width of every layer, 0 for that of the input");
  s.template field<double>("dropout", &Params::dropout)
      .min(0)
      .below(1)
      .only_if("layers > 0")
      .doc("Share of each layer's inputs set to 0 in training");
  s.template field<std::string>("activation", &Params::activation)
      .choices(activations)
      .only_if("layers > 1")
      .doc("Between the layers");
  s.template field<bool>("self_loops", &Params::self_loops).doc("Whether a node sees itself");
  s.template field<double>("drop_edge", &Params::drop_edge)
      .min(0)
      .below(1)
      .doc("Share of the edges that each step goes without in training")
      .source("Rong et al. 2020, DropEdge");
  bind_negative_weights(s);
}

// h_0 is what the perceptron gives, h_{k+1} what next() makes of P h_k.
class GnnPropagation : public Gnn {
 public:
  explicit GnnPropagation(const PropagationParams& params);

  void init(std::int64_t width, Parameters& parameters, Random& random) override;
  [[nodiscard]] std::int64_t out_width() const final { return out_; }
  [[nodiscard]] std::int64_t depth() const final { return params_.steps; }
  [[nodiscard]] bool reads_input() const override { return false; }
  [[nodiscard]] at::Tensor embed(const at::Tensor& x, const Mode& mode) const final;
  [[nodiscard]] at::Tensor step(std::int64_t step, const at::Tensor& sources,
                                const at::Tensor& targets, const at::Tensor& targets_0,
                                const CsrGraph& graph, const Mode& mode) const final;

 protected:
  // `propagated` is P h_k.
  [[nodiscard]] virtual at::Tensor next(std::int64_t step, const at::Tensor& propagated,
                                        const at::Tensor& targets_0) const = 0;

 private:
  PropagationParams params_;
  GcnOptions options_;
  std::int64_t out_ = 0;
  Perceptron perceptron_;
};

}  // namespace espalier
