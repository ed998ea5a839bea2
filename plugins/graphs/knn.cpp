// An edge into i from each of its k nearest others. k is given, or follows from the average degree
// that is wanted, so that builders can be compared at the same number of edges.
#include <espalier/core/error.hpp>
#include <espalier/graph/centring.hpp>
#include <espalier/graph/edges.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <algorithm>
#include <cmath>

namespace {

using espalier::Neighbours;

struct KnnParams : espalier::Weighting {
  std::string k_from = "value";
  std::int64_t k = 10;
  double degree = 10;
  std::string metric = "cosine";
  std::string symmetry = "union";
  bool centre = false;
};

void bind(espalier::Schema<KnnParams>& s) {
  s.field("k_from", &KnnParams::k_from)
      .choices({"value", "degree"})
      .doc("k as given, or the one with an average degree nearest to the wanted one");
  s.field("k", &KnnParams::k)
      .range(1, 10000)
      .only_if("k_from == 'value'")
      .doc("Neighbours that each node looks for");
  s.field("degree", &KnnParams::degree)
      .above(0)
      .max(1e6)
      .only_if("k_from == 'degree'")
      .doc("Wanted edges a node, on average");
  s.field("metric", &KnnParams::metric)
      .choices(espalier::similarity_metrics)
      .doc("Near is: a large cosine, a small Euclidean distance, a large inner product");
  s.field("symmetry", &KnnParams::symmetry)
      .choices(espalier::symmetries)
      .doc("Edges as found, found from either end, or found from both ends");
  s.field("centre", &KnnParams::centre)
      .doc("Subtract the mean of the training nodes, of each modality its own");
  espalier::bind_weighting(s);
}

void require_k(std::int64_t nodes, std::int64_t k) {
  const std::int64_t fitting = espalier::most_edges / std::max<std::int64_t>(1, 2 * nodes);
  espalier::require_edges(static_cast<double>(nodes) * static_cast<double>(std::min(k, nodes)),
                          "graph.k of at most " + std::to_string(fitting));
}

// The lists that a graph of the wanted degree needs, the best first, and their length.
class Chosen {
 public:
  Chosen(const KnnParams& params, const espalier::SimilaritySearch& search) {
    const std::int64_t others = std::max<std::int64_t>(1, search.size() - 1);
    k_ = params.k_from == "value"
             ? params.k
             : std::min(others, static_cast<std::int64_t>(std::ceil(params.degree)));
    for (;;) {
      require_k(search.size(), k_);
      found_ = search.nearest_others(k_);
      if (params.k_from == "value") return;
      const std::int64_t wanted = espalier::k_for_degree(found_, params.symmetry, params.degree);
      if (wanted < k_ || k_ >= others) {
        shorten(wanted);
        return;
      }
      k_ = std::min(others, 2 * k_);  // more may come nearer
    }
  }

  [[nodiscard]] const Neighbours& found() const noexcept { return found_; }
  [[nodiscard]] std::int64_t k() const noexcept { return k_; }

 private:
  void shorten(std::int64_t k) {
    k_ = k;
    for (auto& list : found_) list.resize(std::min(list.size(), static_cast<std::size_t>(k)));
  }

  std::int64_t k_ = 0;
  Neighbours found_;
};

// A query gets edges from its k nearest support nodes, whatever `symmetry` says: it cannot be among
// the neighbours that the support chose.
class KnnSupport final : public espalier::GraphSupport {
 public:
  KnnSupport(const KnnParams& params, const espalier::GraphInput& nodes)
      : params_(params),
        centring_(params.centre ? espalier::Centring(nodes.features, nodes.views, nodes.fit)
                                : espalier::Centring()),
        search_(centring_(nodes.features), espalier::metric_of(params.metric)) {
    const Chosen chosen(params, search_);
    k_ = chosen.k();
    graph_ = espalier::graph_from_neighbours(chosen.found(), params.symmetry, params_);
    graph_.facts = {{"k", k_}};
  }

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    return espalier::attach_from_neighbours(search_.nearest(centring_(queries.features), k_),
                                            search_.size(), params_);
  }

 private:
  KnnParams params_;
  espalier::Centring centring_;
  espalier::SimilaritySearch search_;
  std::int64_t k_ = 0;
  espalier::CsrGraph graph_;
};

class Knn final : public espalier::GraphBuilder {
 public:
  using Params = KnnParams;
  Knn(const Params& params, const espalier::RunContext&) : params_(params) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<KnnSupport>(params_, nodes);
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "knn", 2, Knn, "Joins each node to its nearest others", "edge_weight")
