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
class Knn final : public espalier::GraphBuilder {
 public:
  using Params = KnnParams;
  Knn(const Params& params, const espalier::RunContext&) : params_(params) {}

  espalier::CsrGraph build(const at::Tensor& features) const override {
    const espalier::CosineSearch search(features);
    return espalier::graph_from_neighbours(search.nearest_others(params_.k), params_.symmetry,
                                           params_.weight);
  }

  espalier::CsrGraph attach(const at::Tensor& support, const at::Tensor& queries) const override {
    const espalier::CosineSearch search(support);
    return espalier::attach_from_neighbours(search.nearest(queries, params_.k), search.size(),
                                            params_.weight);
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "knn", 1, Knn, "Joins each node to its most similar others",
                   "edge_weight")
