// Every node with every other: what attention would see. With weights a baseline for the sparse
// graphs, without them every node gets the mean of all.
#include <espalier/graph/edges.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <cmath>

namespace {

struct CompleteParams : espalier::Weighting {};

void bind(espalier::Schema<CompleteParams>& s) { espalier::bind_weighting(s); }

void require_all_pairs(double targets, double sources) {
  const auto nodes =
      static_cast<std::int64_t>(std::sqrt(static_cast<double>(espalier::most_edges)));
  espalier::require_edges(targets * sources, "another builder: a complete graph can have about " +
                                                 std::to_string(nodes) + " nodes");
}

class CompleteSupport final : public espalier::GraphSupport {
 public:
  CompleteSupport(const CompleteParams& params, const at::Tensor& features)
      : params_(params), search_(features) {
    const auto n = static_cast<double>(search_.size());
    require_all_pairs(n, n - 1);
    graph_ = espalier::graph_from_neighbours(search_.others_within(-1), "directed", params_);
  }

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    require_all_pairs(static_cast<double>(queries.nodes()), static_cast<double>(search_.size()));
    return espalier::attach_from_neighbours(search_.within(queries.features, -1), search_.size(),
                                            params_);
  }

 private:
  CompleteParams params_;
  espalier::SimilaritySearch search_;
  espalier::CsrGraph graph_;
};

class Complete final : public espalier::GraphBuilder {
 public:
  using Params = CompleteParams;
  Complete(const Params& params, const espalier::RunContext&) : params_(params) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<CompleteSupport>(params_, nodes.features);
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "complete", 1, Complete, "Joins every node with every other",
                   "edge_weight symmetric")
