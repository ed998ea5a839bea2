// Nodes whose cosine similarity reaches tau are joined (GA-Net, Cheng 2024, with tau 0.7). tau is
// given, or follows from the average degree that is wanted: what 0.7 means depends on the encoder.
#include <espalier/graph/edges.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

namespace {

struct ThresholdParams {
  std::string tau_from = "value";
  double tau = 0.7;
  double degree = 10;
  std::int64_t pairs = 2000000;
  std::int64_t max_degree = 0;
  std::string weight = "cosine";
};

void bind(espalier::Schema<ThresholdParams>& s) {
  s.field("tau_from", &ThresholdParams::tau_from)
      .choices({"value", "degree", "sampled_degree"})
      .doc("tau as given, for a wanted average degree, or for it from a sample of pairs");
  s.field("tau", &ThresholdParams::tau)
      .range(-1, 1)
      .only_if("tau_from == 'value'")
      .doc("Least cosine of joined nodes")
      .source("GA-Net, arXiv 2408.00290");
  s.field("degree", &ThresholdParams::degree)
      .above(0)
      .max(1e6)
      .only_if("tau_from != 'value'")
      .doc("Wanted edges a node, on average");
  s.field("pairs", &ThresholdParams::pairs)
      .range(100, 1e9)
      .only_if("tau_from == 'sampled_degree'")
      .doc("Pairs in the sample, drawn from the trial's seed");
  s.field("max_degree", &ThresholdParams::max_degree)
      .range(0, 1e9)
      .doc("An edge stays only if it is among this many heaviest of both ends, 0 for no limit");
  s.field("weight", &ThresholdParams::weight)
      .choices(espalier::edge_weights)
      .doc("Weight of an edge: 1, the cosine (at least 0), or (1 + cosine) / 2");
}

double tau_of(const ThresholdParams& params, const espalier::CosineSearch& search,
              const espalier::Random& random) {
  if (params.tau_from == "degree") return search.tau_for_degree(params.degree);
  if (params.tau_from == "sampled_degree") {
    return search.sampled_tau(params.degree, params.pairs, random);
  }
  return params.tau;
}

// tau is the support's: a query does not move it.
class ThresholdSupport final : public espalier::GraphSupport {
 public:
  ThresholdSupport(const ThresholdParams& params, const espalier::Random& random,
                   const at::Tensor& features)
      : params_(params), search_(features), tau_(tau_of(params, search_, random)) {
    auto found = search_.others_within(tau_);
    const std::int64_t capped = espalier::cap_degree(found, params_.max_degree);
    graph_ =
        espalier::graph_from_neighbours(found, capped > 0 ? "mutual" : "directed", params_.weight);
    graph_.facts = {{"tau", tau_}, {"capped", capped}};
  }

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    auto found = search_.within(queries.features, tau_);
    espalier::cap_degree(found, params_.max_degree);
    return espalier::attach_from_neighbours(found, search_.size(), params_.weight);
  }

 private:
  ThresholdParams params_;
  espalier::CosineSearch search_;
  double tau_;
  espalier::CsrGraph graph_;
};

class Threshold final : public espalier::GraphBuilder {
 public:
  using Params = ThresholdParams;
  Threshold(const Params& params, const espalier::RunContext& context)
      : params_(params), random_(context.random("graph")) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<ThresholdSupport>(params_, random_, nodes.features);
  }

 private:
  Params params_;
  espalier::Random random_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "threshold", 1, Threshold,
                   "Joins nodes whose similarity reaches a threshold",
                   "edge_weight symmetric seeded")
