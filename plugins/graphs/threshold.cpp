// Nodes whose cosine similarity reaches tau are joined (GA-Net, Cheng 2024, with tau 0.7). tau is
// given, or follows from what is wanted of the graph: what 0.7 means depends on the encoder.
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <espalier/core/error.hpp>
#include <espalier/graph/centring.hpp>
#include <espalier/graph/edges.hpp>
#include <espalier/graph/thresholds.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using espalier::Neighbours;
using espalier::SimilaritySearch;

struct ThresholdParams : espalier::Weighting {
  std::string tau_from = "value";
  double tau = 0.7;
  std::vector<double> taus = {0.5, 0.6, 0.7, 0.8, 0.9};
  double degree = 10;
  double quantile = 0.99;
  std::int64_t pairs = 2000000;
  std::int64_t min_degree = 0;
  std::int64_t max_degree = 0;
  bool centre = false;
};

void bind(espalier::Schema<ThresholdParams>& s) {
  s.field("tau_from", &ThresholdParams::tau_from)
      .choices({"value", "degree", "sampled_degree", "quantile", "elbow", "validation"})
      .doc(
          "tau as given, or for a degree, a share of the pairs, the largest component, validation "
          "images");
  s.field("tau", &ThresholdParams::tau)
      .range(-1, 1)
      .only_if("tau_from == 'value'")
      .doc("Least cosine of joined nodes")
      .source("GA-Net, arXiv 2408.00290");
  s.field("taus", &ThresholdParams::taus)
      .range(-1, 1)
      .only_if("tau_from == 'validation'")
      .doc("Thresholds that are trained with, of which the best stays");
  s.field("degree", &ThresholdParams::degree)
      .above(0)
      .max(1e6)
      .only_if("tau_from in ['degree', 'sampled_degree', 'elbow']")
      .doc("Wanted edges a node, on average; of an elbow the most that are looked at");
  s.field("quantile", &ThresholdParams::quantile)
      .range(0, 1)
      .only_if("tau_from == 'quantile'")
      .doc("Share of the pairs of nodes that stay without an edge");
  s.field("pairs", &ThresholdParams::pairs)
      .range(100, 1e9)
      .only_if("tau_from == 'sampled_degree'")
      .doc("Pairs in the sample, drawn from the trial's seed");
  s.field("min_degree", &ThresholdParams::min_degree)
      .range(0, 10000)
      .doc("A node with fewer edges is joined to so many nearest others all the same");
  s.field("max_degree", &ThresholdParams::max_degree)
      .range(0, 1e9)
      .doc("An edge stays only if it is among this many heaviest of both ends, 0 for no limit");
  s.field("centre", &ThresholdParams::centre)
      .doc("Subtract the mean of the training nodes, of each modality its own");
  espalier::bind_weighting(s);
  s.check("max_degree == 0 or min_degree <= max_degree", "min_degree is larger than max_degree");
}

double tau_of(const ThresholdParams& params, const SimilaritySearch& search,
              const espalier::Random& random) {
  if (params.tau_from == "degree") return espalier::tau_for_degree(search, params.degree);
  if (params.tau_from == "elbow") return espalier::tau_at_elbow(search, params.degree);
  if (params.tau_from == "sampled_degree") {
    return espalier::sampled_tau(search, params.degree, params.pairs, random);
  }
  if (params.tau_from == "quantile") {
    const auto others = static_cast<double>(std::max<std::int64_t>(0, search.size() - 1));
    return espalier::tau_for_degree(search, (1 - params.quantile) * others);
  }
  return params.tau;
}

// Before anything is searched: the edges of this tau in a sample of pairs.
void predict_edges(const SimilaritySearch& search, double tau) {
  constexpr std::int64_t pairs = 200000;
  const auto n = static_cast<double>(search.size());
  if (n * (n - 1) <= static_cast<double>(espalier::most_edges)) return;
  const std::vector<double> sample =
      search.sampled_cosines(pairs, espalier::Random(std::uint64_t{1}));
  const auto reaching = sample.end() - std::lower_bound(sample.begin(), sample.end(), tau);
  const double share = static_cast<double>(reaching) / static_cast<double>(pairs);
  const double fitting = static_cast<double>(espalier::most_edges) / (n * (n - 1)) / 2;
  const auto rank = static_cast<std::size_t>((1 - fitting) * static_cast<double>(pairs - 1));
  espalier::require_edges(
      share * n * (n - 1),
      "graph.tau of at least " + std::to_string(sample[rank]) + ", or graph.tau_from=degree");
}

// Of the pairs around tau those below it leave; says how many ordered pairs lay so near that
// another rounding of the features could turn them.
std::int64_t keep_reaching(Neighbours& found, double tau) {
  std::int64_t near = 0;
  for (auto& list : found) {
    for (const espalier::Neighbour& n : list) near += std::abs(n.cosine - tau) < 1e-4 ? 1 : 0;
    std::erase_if(list, [&](const espalier::Neighbour& n) { return n.cosine < tau; });
  }
  return near;
}

// Adds to every list with fewer than `least` entries what its node is nearest to, from both ends
// where these are the same nodes, and says how many lists were short.
std::int64_t raise_degree(Neighbours& found, const std::vector<std::int64_t>& low,
                          const Neighbours& nearest, bool both_ends) {
  for (std::size_t l = 0; l < low.size(); ++l) {
    auto& own = found[static_cast<std::size_t>(low[l])];
    for (const espalier::Neighbour& n : nearest[l]) {
      const auto has = [&](const std::vector<espalier::Neighbour>& list, std::int64_t index) {
        return std::any_of(list.begin(), list.end(),
                           [&](const auto& m) { return m.index == index; });
      };
      if (!has(own, n.index)) own.push_back(n);
      if (!both_ends) continue;
      auto& theirs = found[static_cast<std::size_t>(n.index)];
      if (!has(theirs, low[l])) theirs.push_back({low[l], n.cosine});
    }
  }
  return std::ssize(low);
}

std::vector<std::int64_t> below_degree(const Neighbours& found, std::int64_t least) {
  std::vector<std::int64_t> low;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::ssize(found[i]) < least) low.push_back(static_cast<std::int64_t>(i));
  }
  return low;
}

// tau is the support's: a query does not move it.
class ThresholdSupport final : public espalier::GraphSupport {
 public:
  ThresholdSupport(const ThresholdParams& params, const espalier::Random& random,
                   const espalier::GraphInput& nodes)
      : params_(params),
        centring_(params.centre ? espalier::Centring(nodes.features, nodes.views, nodes.fit)
                                : espalier::Centring()),
        search_(centring_(nodes.features)),
        tau_(tau_of(params, search_, random)) {
    constexpr double around = 1e-4;
    predict_edges(search_, tau_);
    Neighbours found = search_.others_within(tau_ - around);
    const std::int64_t near = keep_reaching(found, tau_);
    const std::int64_t capped = espalier::cap_degree(found, params_.max_degree);
    if (capped > 0) espalier::keep_mutual(found);
    const std::vector<std::int64_t> low = below_degree(found, params_.min_degree);
    const std::int64_t raised =
        raise_degree(found, low, search_.nearest_others(low, params_.min_degree), true);
    graph_ = espalier::graph_from_neighbours(found, "directed", params_);
    const double pairs =
        static_cast<double>(search_.size()) * static_cast<double>(search_.size() - 1);
    graph_.facts = {{"tau", tau_},
                    {"near_tau", pairs > 0 ? static_cast<double>(near) / pairs : 0.0},
                    {"capped", capped},
                    {"raised", raised}};
  }

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    const at::Tensor features = centring_(queries.features);
    Neighbours found = search_.within(features, tau_);
    espalier::cap_degree(found, params_.max_degree);
    const std::vector<std::int64_t> low = below_degree(found, params_.min_degree);
    const at::Tensor lonely =
        features.index_select(0, at::tensor(at::IntArrayRef(low), at::TensorOptions(at::kLong)));
    const Neighbours nearest = search_.nearest(lonely, params_.min_degree);
    raise_degree(found, low, nearest, false);
    return espalier::attach_from_neighbours(found, search_.size(), params_);
  }

 private:
  ThresholdParams params_;
  espalier::Centring centring_;
  SimilaritySearch search_;
  double tau_;
  espalier::CsrGraph graph_;
};

class Threshold final : public espalier::GraphBuilder {
 public:
  using Params = ThresholdParams;
  Threshold(const Params& params, const espalier::RunContext& context)
      : params_(params), random_(context.random("graph")) {
    if (params.tau_from != "validation") return;
    throw espalier::Error({.what = "tau_from: validation needs a trial, which trains with each tau",
                           .where = {},
                           .expected = "graph.use: threshold in an experiment",
                           .found = "a threshold inside another builder, or no trial",
                           .fix = "another tau_from, such as degree"});
  }

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<ThresholdSupport>(params_, random_, nodes);
  }

 private:
  Params params_;
  espalier::Random random_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "threshold", 2, Threshold,
                   "Joins nodes whose similarity reaches a threshold",
                   "edge_weight symmetric seeded unseen:taus")
