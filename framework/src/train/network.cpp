#include "train/network.hpp"

#include "train/component_call.hpp"

namespace espalier {
namespace {

class NoNetwork final : public Gnn {
 public:
  void init(std::int64_t width, Parameters&, Random&) override { width_ = width; }
  std::int64_t out_width() const override { return width_; }
  std::int64_t depth() const override { return 0; }
  at::Tensor step(std::int64_t, const at::Tensor&, const at::Tensor& targets, const at::Tensor&,
                  const CsrGraph&, const Mode&) const override {
    return targets;
  }

 private:
  std::int64_t width_ = 0;
};

// Names the component in what it throws, and holds it to the shape of its output.
class NamedGnn final : public Gnn {
 public:
  NamedGnn(std::shared_ptr<Gnn> gnn, std::string name)
      : gnn_(std::move(gnn)), name_(std::move(name)) {}

  void init(std::int64_t width, Parameters& parameters, Random& random) override {
    guarded(name_, "init", [&] { gnn_->init(width, parameters, random); });
  }
  std::int64_t out_width() const override { return gnn_->out_width(); }
  std::int64_t depth() const override { return gnn_->depth(); }

  at::Tensor embed(const at::Tensor& x, const Mode& mode) const override {
    return call_component(name_, "embed", [&] { return gnn_->embed(x, mode); });
  }
  at::Tensor step(std::int64_t layer, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor& targets_0, const CsrGraph& graph,
                  const Mode& mode) const override {
    return call_component(
        name_, "step", [&] { return gnn_->step(layer, sources, targets, targets_0, graph, mode); });
  }
  at::Tensor readout(const at::Tensor& h, const at::Tensor& x, const Mode& mode) const override {
    at::Tensor y = call_component(name_, "readout", [&] { return gnn_->readout(h, x, mode); });
    require_shape(name_, "readout", y, x.size(0), out_width());
    return y;
  }

 private:
  std::shared_ptr<Gnn> gnn_;
  std::string name_;
};

}  // namespace

std::shared_ptr<Gnn> no_network() { return std::make_shared<NoNetwork>(); }

Network::Network(NetworkParts parts, std::int64_t classes, std::int64_t seed,
                 Parameters& parameters)
    : fusion_(parts.fusion),
      head_(std::move(parts.head)),
      adapted_(parts.adapted),
      classes_(classes) {
  const auto named = std::make_shared<NamedGnn>(std::move(parts.gnn), std::move(parts.gnn_name));
  {
    const Parameters::Scope scope(parameters, "fusion");
    Random random(seed, "fusion");
    parts.fusion->init(parameters, random);
  }
  {
    const Parameters::Scope scope(parameters, "gnn");
    Random random(seed, "init");
    named->init(fusion_->width(), parameters, random);
  }
  const Parameters::Scope scope(parameters, "head");
  Random random(seed, "head");
  head_->init(named->out_width(), classes, parameters, random);
  gnn_ = named;
}

// Of a sample's nodes in several views the first has the sample's row id.
Scores Network::classify(const at::Tensor& states, const Values& values, const Mode& mode) const {
  Scores scores;
  scores.features = fusion_->of_samples(states);
  scores.head = scores.logits = (*head_)(scores.features, values);
  if (adapted_ == nullptr) return scores;
  Mode own = mode;
  const auto rows = static_cast<std::size_t>(scores.features.size(0));
  if (mode.training) own.dropout.rows = mode.dropout.rows.first(rows);
  scores.logits = adapted_->score(scores.features, scores.head, own);
  return scores;
}

Scores Network::scores(const CsrGraph& graph, const Values& values, const Mode& mode) const {
  return classify(run_gnn(*gnn_, (*fusion_)(values).x, graph, mode).output, values, mode);
}

Network::Support Network::support(const CsrGraph& graph, const Values& values) const {
  Support support{.states = run_gnn(*gnn_, (*fusion_)(values).x, graph, {}), .scores = {}};
  support.scores = classify(support.states.output, values, {});
  return support;
}

Scores Network::attached(const Support& support, const CsrGraph& graph,
                         const Values& values) const {
  return classify(attach_to_gnn(*gnn_, support.states, (*fusion_)(values).x, graph), values, {});
}

}  // namespace espalier
