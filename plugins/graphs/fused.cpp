// Edges by both modalities: what the nodes hold, and what they do not.
//   mix           s = share * s_nodes + (1 - share) * s_other, for any builder that looks at
//   cosines union         edges that either of two builders finds, with the larger of two weights
//   intersection  edges that both find, with the smaller of two weights
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <espalier/nn/unit_rows.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace {

using espalier::CsrGraph;
using espalier::Edge;
using espalier::GraphInput;
using espalier::GraphSupport;

struct FusedParams {
  std::string by = "mix";
  double share = 0.5;
  espalier::ComponentRef builder{"knn"};
  espalier::ComponentRef other{"knn"};
};

void bind(espalier::Schema<FusedParams>& s) {
  s.field("by", &FusedParams::by)
      .choices({"mix", "union", "intersection"})
      .doc("One search by both similarities, or edges of either or of both of two builders");
  s.field("share", &FusedParams::share)
      .range(0, 1)
      .only_if("by == 'mix'")
      .doc("Weight of the similarity of what the nodes hold; the other modality has the rest");
  s.field("builder", &FusedParams::builder)
      .kind("graph")
      .doc("Builds by the mixed similarity, or by what the nodes hold");
  s.field("other", &FusedParams::other)
      .kind("graph")
      .only_if("by != 'mix'")
      .doc("Builds by the features that the nodes do not hold");
}

// Rows whose cosine is the mix of the cosines of both parts.
GraphInput mixed(const GraphInput& input, double share) {
  GraphInput both = input;
  both.features = at::cat({espalier::unit_rows(input.features) * std::sqrt(share),
                           espalier::unit_rows(input.other) * std::sqrt(1 - share)},
                          1);
  return both;
}

GraphInput of_other(const GraphInput& input) {
  GraphInput other = input;
  std::swap(other.features, other.other);
  return other;
}

CsrGraph merged(const CsrGraph& a, const CsrGraph& b, bool both_needed) {
  std::vector<Edge> edges = espalier::edges_of(a);
  const std::vector<Edge> more = espalier::edges_of(b);
  edges.insert(edges.end(), more.begin(), more.end());
  CsrGraph graph;
  if (both_needed) {
    std::sort(edges.begin(), edges.end(), [](const Edge& x, const Edge& y) {
      return std::tie(x.target, x.source, x.weight) < std::tie(y.target, y.source, y.weight);
    });
    std::vector<Edge> agreed;
    for (std::size_t e = 0; e + 1 < edges.size(); ++e) {
      const Edge& next = edges[e + 1];
      if (edges[e].target == next.target && edges[e].source == next.source) {
        agreed.push_back(edges[e]);
      }
    }
    edges = std::move(agreed);
  }
  graph = espalier::graph_from_edges(a.targets, a.sources, std::move(edges));
  graph.facts = a.facts;
  for (const auto& [key, value] : b.facts.items()) graph.facts["other_" + key] = value;
  return graph;
}

class MixedSupport final : public GraphSupport {
 public:
  MixedSupport(const espalier::GraphBuilder& builder, const GraphInput& nodes, double share)
      : share_(share), support_(builder.support(mixed(nodes, share))) {}

  const CsrGraph& graph() const override { return support_->graph(); }
  CsrGraph attach(const GraphInput& queries) const override {
    return support_->attach(mixed(queries, share_));
  }

 private:
  double share_;
  std::unique_ptr<GraphSupport> support_;
};

class MergedSupport final : public GraphSupport {
 public:
  MergedSupport(const espalier::GraphBuilder& builder, const espalier::GraphBuilder& other,
                const GraphInput& nodes, bool both_needed)
      : both_needed_(both_needed),
        own_(builder.support(nodes)),
        other_(other.support(of_other(nodes))),
        graph_(merged(own_->graph(), other_->graph(), both_needed)) {}

  const CsrGraph& graph() const override { return graph_; }
  CsrGraph attach(const GraphInput& queries) const override {
    return merged(own_->attach(queries), other_->attach(of_other(queries)), both_needed_);
  }

 private:
  bool both_needed_;
  std::unique_ptr<GraphSupport> own_, other_;
  CsrGraph graph_;
};

class Fused final : public espalier::GraphBuilder {
 public:
  using Params = FusedParams;
  Fused(const Params& params, const espalier::RunContext& context)
      : params_(params),
        builder_(context.make<espalier::GraphBuilder>(params.builder)),
        other_(context.make<espalier::GraphBuilder>(params.other)) {}

  std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const override {
    if (params_.by == "mix") {
      return std::make_unique<MixedSupport>(*builder_, nodes, params_.share);
    }
    return std::make_unique<MergedSupport>(*builder_, *other_, nodes, params_.by == "intersection");
  }

 private:
  Params params_;
  std::shared_ptr<espalier::GraphBuilder> builder_, other_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "fused", 1, Fused, "Joins nodes by both modalities, mixed or merged",
                   "edge_weight needs_other wraps:builder:seeded wraps:builder:needs_texts "
                   "wraps:builder:needs_ids wraps:other:seeded wraps:other:needs_texts "
                   "wraps:other:needs_ids")
