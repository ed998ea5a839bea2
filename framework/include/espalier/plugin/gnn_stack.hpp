// Networks that are one graph convolution several times over.
//
//   class Mine final : public espalier::GnnStack {
//    public:
//     using Params = MineParams;  // derives from StackParams
//     Mine(const Params& params, const espalier::RunContext&) : GnnStack(params), ... {}
//    private:
//     std::unique_ptr<espalier::Convolution> convolution(std::int64_t layer) const override;
//   };
#pragma once

#include <cstdint>
#include <espalier/core/schema.hpp>
#include <espalier/graph/spmm.hpp>
#include <espalier/nn/activation.hpp>
#include <espalier/plugin/gnn.hpp>
#include <memory>
#include <string>
#include <vector>

namespace espalier {

struct StackParams {
  std::int64_t layers = 2;
  std::int64_t hidden = 0;
  double dropout = 0.0;
  std::string activation = "relu";
  std::string norm = "none";
  bool residual = false;
  double drop_edge = 0.0;
};

template <class Params>
void bind_stack(Schema<Params>& s) {
  s.template field<std::int64_t>("layers", &Params::layers)
      .range(1, 64)
      .doc("Convolutions, normalisation and activation between them");
  s.template field<std::int64_t>("hidden", &Params::hidden)
      .range(0, 65536)
      .doc("Width of every convolution, 0 for that of the input");
  s.template field<double>("dropout", &Params::dropout)
      .min(0)
      .below(1)
      .doc("Share of each convolution's inputs set to 0 in training");
  s.template field<std::string>("activation", &Params::activation)
      .choices(activations)
      .only_if("layers > 1")
      .doc("Between the convolutions");
  s.template field<std::string>("norm", &Params::norm)
      .choices({"none", "layer", "batch"})
      .only_if("layers > 1")
      .doc(
          "Before the activation: each node's state by itself, or each column over the training "
          "nodes")
      .source("Ba et al. 2016; Ioffe and Szegedy 2015");
  s.template field<bool>("residual", &Params::residual)
      .only_if("layers > 1")
      .doc("Add to every convolution but the first what came before its normalisation")
      .source("Li et al. 2020, DeeperGCN");
  s.template field<double>("drop_edge", &Params::drop_edge)
      .min(0)
      .below(1)
      .doc("Share of the edges that each convolution goes without in training")
      .source("Rong et al. 2020, DropEdge");
}

// What a convolution is given.
struct Neighbourhood {
  const at::Tensor& sources;  // [s, in]
  const at::Tensor& targets;  // [t, in]; of a square graph the sources themselves
  const at::Tensor& origin;   // [t, w_0], the targets' h_0
  const CsrGraph& graph;

  struct Mapped {
    at::Tensor sources;
    at::Tensor targets;
  };
  // Both through one map, which is computed once where they are the same.
  template <class Map>
  [[nodiscard]] Mapped mapped(const Map& map) const {
    const at::Tensor first = map(sources);
    return {first, targets.is_same(sources) ? first : map(targets)};
  }
};

// One layer. Names of parameters are PyTorch Geometric's.
class Convolution {
 public:
  virtual ~Convolution();
  // Throws Error where it cannot have these widths.
  virtual void init(std::int64_t in, std::int64_t out, Parameters& parameters, Random& random) = 0;
  // To [t, out]. A target's row follows from its own edges and state alone.
  [[nodiscard]] virtual at::Tensor operator()(const Neighbourhood& on) const = 0;
  // By which messages are weighed, [edges, heads] and [t, heads]; undefined where no attention is.
  [[nodiscard]] virtual MessageWeights attention(const Neighbourhood& on) const;
};

// h_{l+1} = conv_l(drop(act(norm_l(h_l)))) + [residual] h_l; the first layer has neither norm nor
// activation before it. Parameters are `layers.L.*`.
class GnnStack : public Gnn {
 public:
  explicit GnnStack(const StackParams& params) : params_(params) {}

  void init(std::int64_t width, Parameters& parameters, Random& random) override;
  [[nodiscard]] std::int64_t out_width() const final { return out_; }
  [[nodiscard]] std::int64_t depth() const final { return params_.layers; }
  [[nodiscard]] bool reads_input() const override { return false; }
  [[nodiscard]] at::Tensor step(std::int64_t layer, const at::Tensor& sources,
                                const at::Tensor& targets, const at::Tensor& targets_0,
                                const CsrGraph& graph, const Mode& mode) const final;
  [[nodiscard]] MessageWeights attention(std::int64_t layer, const at::Tensor& sources,
                                         const at::Tensor& targets, const at::Tensor& targets_0,
                                         const CsrGraph& graph) const final;

 protected:
  [[nodiscard]] virtual std::unique_ptr<Convolution> convolution(std::int64_t layer) const = 0;
  [[nodiscard]] const StackParams& stack() const { return params_; }

 private:
  struct Layer {
    std::unique_ptr<Convolution> convolution;
    at::Tensor scale;  // of the normalisation before it; undefined: none
    at::Tensor shift;
  };
  struct Entered {
    at::Tensor sources;
    at::Tensor targets;
  };
  void add_norm(Layer& layer, Parameters& parameters) const;
  [[nodiscard]] Entered enter(std::int64_t layer, const at::Tensor& sources,
                              const at::Tensor& targets, const CsrGraph& graph,
                              const Mode& mode) const;

  StackParams params_;
  std::int64_t out_ = 0;
  std::vector<Layer> layers_;
};

// A bias [out] of zeros, `bias`; undefined where none is wanted.
[[nodiscard]] at::Tensor zero_bias(std::int64_t out, bool wanted, Parameters& parameters);

}  // namespace espalier
