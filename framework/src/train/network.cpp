#include "train/network.hpp"

#include <ATen/ops/cat.h>

#include "train/component_call.hpp"
#include <algorithm>
#include <numeric>

namespace espalier {
namespace {

class NoNetwork final : public Gnn {
 public:
  void init(std::int64_t width, Parameters&, Random&) override { width_ = width; }
  std::int64_t out_width() const override { return width_; }
  std::int64_t depth() const override { return 0; }
  bool reads_input() const override { return false; }
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

  void expect_classes(std::int64_t count) override {
    guarded(name_, "expect_classes", [&] { gnn_->expect_classes(count); });
  }
  void init(std::int64_t width, Parameters& parameters, Random& random) override {
    guarded(name_, "init", [&] { gnn_->init(width, parameters, random); });
  }
  std::int64_t out_width() const override { return gnn_->out_width(); }
  std::int64_t depth() const override { return gnn_->depth(); }
  bool reads_input() const override { return gnn_->reads_input(); }

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
      classes_(classes),
      node_rows_(parts.node_rows) {
  const auto named = std::make_shared<NamedGnn>(std::move(parts.gnn), std::move(parts.gnn_name));
  {
    const Parameters::Scope scope(parameters, "fusion");
    Random random(seed, "fusion");
    const std::size_t before = parameters.entries().size();
    parts.fusion->init(parameters, random);
    fusion_is_trained_ = parameters.entries().size() > before;
  }
  {
    const Parameters::Scope scope(parameters, "gnn");
    Random random(seed, "init");
    named->expect_classes(classes);
    named->init(fusion_->width(), parameters, random);
  }
  const Parameters::Scope scope(parameters, "head");
  Random random(seed, "head");
  head_->init(named->out_width(), classes, parameters, random);
  gnn_ = named;
}

// Where nothing in it is trained, nodes follow from the values alone. Single queries do not come
// again.
at::Tensor Network::nodes(const Values& values) const {
  constexpr std::size_t most = 2;
  const auto same = [](const at::Tensor& a, const at::Tensor& b) {
    return a.defined() ? a.is_same(b) : !b.defined();
  };
  const auto made = std::ranges::find_if(known_, [&](const Known& known) {
    return same(known.images, values.images) && same(known.texts, values.texts);
  });
  if (made != known_.end()) return made->x;
  at::Tensor x = (*fusion_)(values).x;
  if (fusion_is_trained_ || x.requires_grad() || x.size(0) <= fusion_->views()) return x;
  if (known_.size() == most) known_.erase(known_.begin());
  known_.push_back({values.images, values.texts, x});
  return x;
}

at::Tensor Network::all_nodes(const CsrGraph& graph, const Values& values) const {
  const at::Tensor of_samples = nodes(values);
  if (graph.targets == of_samples.size(0)) return of_samples;
  return at::cat({of_samples, fusion_->of_classes(values)});
}

// Nodes of classes, behind those of samples, are not asked. Of a sample's nodes in several views
// the first has the sample's row id.
Scores Network::classify(const at::Tensor& states, const Values& values, const Mode& mode) const {
  Scores scores;
  const at::Tensor& rows_of_samples = values.images.defined() ? values.images : values.texts;
  const std::int64_t nodes = fusion_->views() * rows_of_samples.size(0);
  scores.features = fusion_->of_samples(states.slice(0, 0, nodes));
  scores.head = scores.logits = (*head_)(scores.features, values);
  if (adapted_ == nullptr) return scores;
  Mode own = mode;
  std::vector<std::int64_t> columns(static_cast<std::size_t>(scores.head.size(1)));
  std::iota(columns.begin(), columns.end(), values.first_class);
  own.classes = columns;
  const auto rows = static_cast<std::size_t>(scores.features.size(0));
  if (mode.training) own.dropout.rows = mode.dropout.rows.first(rows);
  scores.logits = adapted_->score(scores.features, scores.head, own);
  return scores;
}

Scores Network::scores(const CsrGraph& graph, const Values& values, const Mode& mode) const {
  return classify(run_gnn(*gnn_, all_nodes(graph, values), graph, mode).output, values, mode);
}

Network::Support Network::support(const CsrGraph& graph, const Values& values,
                                  const Mode& mode) const {
  Support support{.states = run_gnn(*gnn_, all_nodes(graph, values), graph, mode), .scores = {}};
  support.scores = classify(support.states.output, values, mode);
  return support;
}

Scores Network::attached(const Support& support, const CsrGraph& graph,
                         const Values& values) const {
  return classify(attach_to_gnn(*gnn_, support.states, nodes(values), graph), values, {});
}

Scores Network::attached(const Support& support, const QueryGraph& query,
                         const Values& values) const {
  GnnStates neighbours;
  for (const at::Tensor& layer : support.states.layers) {
    neighbours.layers.push_back(layer.index_select(0, query.neighbours));
  }
  return classify(attach_to_gnn(*gnn_, neighbours, nodes(values), query.graph), values, {});
}

}  // namespace espalier
