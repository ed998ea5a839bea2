// Nearest neighbours by Euclidean distance, weighted by how near they are for where they stand
// (Zelnik-Manor and Perona, NIPS 2004):
//   w_ij = exp(-|x_i - x_j|^2 / (s_i s_j)),  s_i the distance of i to its `scale`-th neighbour.
#include <espalier/graph/edges.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

using espalier::Edge;
using espalier::Neighbours;

struct LocalScalingParams {
  std::int64_t k = 10;
  std::int64_t scale = 7;
  std::string symmetry = "union";
};

void bind(espalier::Schema<LocalScalingParams>& s) {
  s.field("k", &LocalScalingParams::k).range(1, 10000).doc("Neighbours that each node looks for");
  s.field("scale", &LocalScalingParams::scale)
      .range(1, 10000)
      .doc("The neighbour whose distance is a node's own scale")
      .source("Zelnik-Manor and Perona 2004");
  s.field("symmetry", &LocalScalingParams::symmetry)
      .choices(espalier::symmetries)
      .doc("Edges as found, found from either end, or found from both ends");
}

// A row's neighbours, nearest first, their distances, and the row's scale.
struct Surroundings {
  Surroundings(const LocalScalingParams& params, const espalier::SimilaritySearch& search,
               const at::Tensor& features, Neighbours nearest)
      : found(std::move(nearest)), distances(search.distances(features, found)) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::size_t at = std::min(distances[i].size(), static_cast<std::size_t>(params.scale));
      scales.push_back(at == 0 ? 0 : distances[i][at - 1]);
      found[i].resize(std::min(found[i].size(), static_cast<std::size_t>(params.k)));
    }
  }

  Neighbours found;
  std::vector<std::vector<double>> distances;
  std::vector<double> scales;
};

// Rows at one place have weight 1, whatever their scales.
float weight(double distance, double scale, double other) {
  if (distance == 0) return 1;
  const double scales = scale * other;
  return scales > 0 ? static_cast<float>(std::exp(-distance * distance / scales)) : 0.0F;
}

class LocalScalingSupport final : public espalier::GraphSupport {
 public:
  LocalScalingSupport(const LocalScalingParams& params, const at::Tensor& features)
      : params_(params), search_(features, espalier::Metric::l2) {
    const std::int64_t looked = std::max(params.k, params.scale);
    espalier::require_edges(static_cast<double>(looked) * static_cast<double>(search_.size()),
                            "smaller graph.k and graph.scale");
    const Surroundings around(params, search_, features, search_.nearest_others(looked));
    scales_ = around.scales;
    Neighbours found = around.found;
    if (params.symmetry == "mutual") espalier::keep_mutual(found);
    std::vector<Edge> edges = edges_of(found, search_.distances(features, found), scales_);
    if (params.symmetry == "union") {
      const std::size_t count = edges.size();
      for (std::size_t e = 0; e < count; ++e) {
        edges.push_back({edges[e].source, edges[e].target, edges[e].weight});
      }
    }
    graph_ = espalier::graph_from_edges(search_.size(), search_.size(), std::move(edges));
  }

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    const Surroundings around(
        params_, search_, queries.features,
        search_.nearest(queries.features, std::max(params_.k, params_.scale)));
    return espalier::graph_from_edges(queries.nodes(), search_.size(),
                                      edges_of(around.found, around.distances, around.scales));
  }

 private:
  [[nodiscard]] std::vector<Edge> edges_of(const Neighbours& found,
                                           const std::vector<std::vector<double>>& distances,
                                           const std::vector<double>& scales) const {
    std::vector<Edge> edges;
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (std::size_t r = 0; r < found[i].size(); ++r) {
        const std::int64_t j = found[i][r].index;
        edges.push_back({static_cast<std::int64_t>(i), j,
                         weight(distances[i][r], scales[i], scales_[static_cast<std::size_t>(j)])});
      }
    }
    return edges;
  }

  LocalScalingParams params_;
  espalier::SimilaritySearch search_;
  std::vector<double> scales_;  // of the nodes
  espalier::CsrGraph graph_;
};

class LocalScaling final : public espalier::GraphBuilder {
 public:
  using Params = LocalScalingParams;
  LocalScaling(const Params& params, const espalier::RunContext&) : params_(params) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<LocalScalingSupport>(params_, nodes.features);
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "local_scaling", 1, LocalScaling,
                   "Nearest neighbours, weighted by the distances that are usual around them",
                   "edge_weight")
