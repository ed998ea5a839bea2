// The nearest neighbours of each node, sought in the cells around it alone: for sets whose pairs
// are too many. faiss divides the space (k-means, Douze et al. 2024),
// espalier/graph/cell_search.hpp looks into its cells.
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

#include <espalier/graph/cell_search.hpp>
#include <espalier/graph/edges.hpp>
#include <espalier/nn/parallel.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace {

using espalier::Metric;
using espalier::SimilaritySearch;

struct KnnIvfParams : espalier::Weighting {
  std::int64_t k = 10;
  std::int64_t lists = 0;
  std::int64_t probes = 16;
  std::string metric = "cosine";
  std::string symmetry = "union";
};

void bind(espalier::Schema<KnnIvfParams>& s) {
  s.field("k", &KnnIvfParams::k).range(1, 10000).doc("Neighbours that each node looks for");
  s.field("lists", &KnnIvfParams::lists)
      .range(0, 1e6)
      .doc("Cells that the nodes are divided into, 0 for the root of their number");
  s.field("probes", &KnnIvfParams::probes)
      .range(1, 1e6)
      .doc("Cells that a node looks into; as many as there are find what graph/knn finds");
  s.field("metric", &KnnIvfParams::metric)
      .choices(espalier::similarity_metrics)
      .doc("Near is: a large cosine, a small Euclidean distance, a large inner product");
  s.field("symmetry", &KnnIvfParams::symmetry)
      .choices(espalier::symmetries)
      .doc("Edges as found, found from either end, or found from both ends");
  espalier::bind_weighting(s);
}

std::int64_t lists_for(const KnnIvfParams& params, std::int64_t nodes) {
  const auto root = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(nodes))));
  return std::min(nodes, params.lists > 0 ? params.lists : root);
}

// Rows by what they hold: the order in which nodes come must not decide where cells are.
at::Tensor sorted_rows(const at::Tensor& x) {
  const float* const data = x.data_ptr<float>();
  const std::int64_t width = x.size(1);
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.size(0)));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::lexicographical_compare(data + a * width, data + (a + 1) * width, data + b * width,
                                        data + (b + 1) * width);
  });
  return x.index_select(0, at::tensor(order, at::kLong));
}

// Of so many cells. In one thread: sums in several would be taken in another order.
at::Tensor centroids_of(const at::Tensor& features, Metric metric, std::int64_t lists) {
  if (lists == 0) return at::empty({0, features.size(1)});
  const at::Tensor rows =
      sorted_rows(metric == Metric::cosine ? espalier::unit_rows(features) : features);
  faiss::ClusteringParameters how;
  how.niter = 10;
  how.spherical = metric != Metric::l2;
  how.min_points_per_centroid = 1;
  const auto width = static_cast<int>(rows.size(1));
  faiss::Clustering clustering(width, static_cast<int>(lists), how);
  espalier::for_each_alone(1, [&](std::int64_t) {
    faiss::IndexFlat nearest(width,
                             metric == Metric::l2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT);
    clustering.train(rows.size(0), rows.data_ptr<float>(), nearest);
  });
  return at::tensor(clustering.centroids).view({lists, width});
}

espalier::CellSearch search_of(const KnnIvfParams& params, const at::Tensor& features) {
  SimilaritySearch exact(features, espalier::metric_of(params.metric));
  espalier::require_edges(
      static_cast<double>(exact.size()) * static_cast<double>(std::min(params.k, exact.size())),
      "a smaller graph.k");
  const std::int64_t lists = lists_for(params, exact.size());
  const at::Tensor centroids = centroids_of(exact.features(), exact.metric(), lists);
  return {std::move(exact), centroids, params.probes};
}

class KnnIvfSupport final : public espalier::GraphSupport {
 public:
  KnnIvfSupport(const KnnIvfParams& params, const espalier::GraphInput& nodes)
      : params_(params), search_(search_of(params, nodes.features)) {
    constexpr std::int64_t asked = 1000;
    const espalier::Neighbours found = search_.nearest_others(params.k);
    graph_ = espalier::graph_from_neighbours(found, params.symmetry, params_);
    graph_.facts = {
        {"k", params.k},
        {"lists", search_.cells()},
        {"probes", std::min(params.probes, search_.cells())},
        {"recall", search_.recall(found, params.k, asked, espalier::Random(std::uint64_t{1}))}};
  }

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    return espalier::attach_from_neighbours(search_.nearest(queries.features, params_.k),
                                            search_.size(), params_);
  }

 private:
  KnnIvfParams params_;
  espalier::CellSearch search_;
  espalier::CsrGraph graph_;
};

class KnnIvf final : public espalier::GraphBuilder {
 public:
  using Params = KnnIvfParams;
  KnnIvf(const Params& params, const espalier::RunContext&) : params_(params) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<KnnIvfSupport>(params_, nodes);
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "knn_ivf", 1, KnnIvf,
                   "Joins each node to its nearest others in the cells around it, approximately",
                   "edge_weight unseen:lists unseen:probes")
