// The k most similar nodes by cosine: an edge into i from each of its k nearest others.
#include <espalier/graph/edges.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

namespace {

struct KnnParams {
  std::int64_t k = 10;
  std::string symmetry = "union";
  std::string weight = "cosine";
};

void bind(espalier::Schema<KnnParams>& s) {
  s.field("k", &KnnParams::k).range(1, 10000).doc("Neighbours that each node looks for");
  s.field("symmetry", &KnnParams::symmetry)
      .choices(espalier::symmetries)
      .doc("Edges as found, found from either end, or found from both ends");
  s.field("weight", &KnnParams::weight)
      .choices(espalier::edge_weights)
      .doc("Weight of an edge: 1, the cosine (at least 0), or (1 + cosine) / 2");
}

// A query gets edges from its k nearest support nodes, whatever `symmetry` says: it cannot be among
// the neighbours that the support chose.
class KnnSupport final : public espalier::GraphSupport {
 public:
  KnnSupport(const KnnParams& params, const at::Tensor& features)
      : params_(params),
        search_(features),
        graph_(espalier::graph_from_neighbours(search_.nearest_others(params.k), params.symmetry,
                                               params.weight)) {}

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    return espalier::attach_from_neighbours(search_.nearest(queries.features, params_.k),
                                            search_.size(), params_.weight);
  }

 private:
  KnnParams params_;
  espalier::CosineSearch search_;
  espalier::CsrGraph graph_;
};

class Knn final : public espalier::GraphBuilder {
 public:
  using Params = KnnParams;
  Knn(const Params& params, const espalier::RunContext&) : params_(params) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<KnnSupport>(params_, nodes.features);
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "knn", 1, Knn, "Joins each node to its most similar others",
                   "edge_weight")
