// Label propagation, Zhou et al. 2004: what the graph says by itself.
//   Z_0 = Y,  Z_{k+1} = alpha P Z_k + (1 - alpha) Y,  P = D^-1/2 A D^-1/2 without loops
// Y has a 1 at the class of each training node. Nothing is trained and no feature is looked at but
// by the graph's builder: any network has to do better. The result is log(share of each class); a
// node that no label reaches has equal shares.
#include <ATen/TensorOperators.h>
#include <ATen/ops/log.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <espalier/core/error.hpp>
#include <espalier/graph/coefficients.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>

namespace {

// Spread over all classes, so that none has the share 0, whose logarithm is infinite.
constexpr double spread = 1e-6;

struct LabelPropagationParams {
  std::int64_t steps = 50;
  double alpha = 0.9;
  std::string negative_weights = "refuse";
};

void bind(espalier::Schema<LabelPropagationParams>& s) {
  s.field("steps", &LabelPropagationParams::steps)
      .range(1, 10000)
      .doc("How many edges far labels travel");
  s.field("alpha", &LabelPropagationParams::alpha)
      .min(0)
      .below(1)
      .doc("Share of the neighbours in every step; the rest is a node's own label")
      .source("Zhou et al. 2004");
  bind_negative_weights(s);
}

class LabelPropagation final : public espalier::Gnn {
 public:
  using Params = LabelPropagationParams;
  LabelPropagation(const Params& params, const espalier::RunContext&)
      : params_(params), options_{.loop_weight = 0, .negative = params.negative_weights} {}

  void expect_classes(std::int64_t count) override { classes_ = count; }

  void init(std::int64_t, espalier::Parameters&, espalier::Random&) override {
    if (classes_ > 0) return;
    throw espalier::Error({.what = "label propagation stands inside another network",
                           .where = {},
                           .expected = "gnn.use: label_propagation",
                           .found = {},
                           .fix = "another layer inside"});
  }
  std::int64_t out_width() const override { return classes_; }
  // All steps but the last happen at once: a query needs only what the nodes have before it.
  std::int64_t depth() const override { return 2; }
  bool reads_input() const override { return false; }

  at::Tensor embed(const at::Tensor& x, const espalier::Mode&) const override {
    return at::zeros({x.size(0), classes_}, x.options().requires_grad(false));
  }

  at::Tensor step(std::int64_t step, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor&, const espalier::CsrGraph& graph,
                  const espalier::Mode&) const override {
    if (step == 0 && !graph.square()) return targets;
    const at::Tensor weight =
        espalier::gcn_coefficients(graph, graph.weight, options_).edge * params_.alpha;
    if (!graph.square()) return espalier::spmm(graph, weight, sources);
    const at::Tensor own = labels(graph, sources);
    const auto next = [&](const at::Tensor& z) {
      return espalier::spmm(graph, weight, z) + own * (1 - params_.alpha);
    };
    if (step == 1) return next(sources);
    at::Tensor z = own;
    for (std::int64_t k = 1; k < params_.steps; ++k) z = next(z);
    return z;
  }

  at::Tensor readout(const at::Tensor& h, const at::Tensor&, const espalier::Mode&) const override {
    const at::Tensor smoothed = h + spread / static_cast<double>(classes_);
    return at::log(smoothed / smoothed.sum(1, true));
  }

 private:
  // Y; without labels, zeros.
  [[nodiscard]] at::Tensor labels(const espalier::CsrGraph& graph, const at::Tensor& like) const {
    if (!graph.label.defined()) return at::zeros_like(like);
    const at::Tensor known = (graph.label >= 0).unsqueeze(1);
    return at::one_hot(graph.label.clamp_min(0), classes_).to(like.scalar_type()) * known;
  }

  Params params_;
  espalier::GcnOptions options_;
  std::int64_t classes_ = 0;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "label_propagation", 1, LabelPropagation,
                   "Label propagation, untrained (Zhou et al. 2004)",
                   "graph edge_weight bipartite node_rows scores unseen:negative_weights")
