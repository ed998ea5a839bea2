// A graph without meaning that has the degrees of another one: the control that shows whether a
// graph matters, or whether mixing with anyone would do as well.
//
// Pairs of edges exchange their ends (Maslov and Sneppen, Science 2002) until nothing is left of
// who was joined to whom. Every node keeps how many edges it has, in and out, and their weights. A
// query keeps the number and weights of its edges, from nodes drawn by what it holds and the
// trial's seed.
#include <espalier/core/hash.hpp>
#include <espalier/core/random.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_set>

namespace {

using espalier::CsrGraph;
using espalier::Edge;

struct RandomParams {
  espalier::ComponentRef of{"knn"};
};

void bind(espalier::Schema<RandomParams>& s) {
  s.field("of", &RandomParams::of).kind("graph").doc("The builder whose degrees are kept");
}

// Exchanges sources, or in a graph whose edges all have opposites both directions at a time.
class Rewiring {
 public:
  Rewiring(const CsrGraph& graph, bool both_ways) : nodes_(graph.targets), both_ways_(both_ways) {
    for (const Edge& edge : espalier::edges_of(graph)) {
      present_.insert(key(edge.target, edge.source));
      if (!both_ways_ || edge.target < edge.source) edges_.push_back(edge);
    }
  }

  // An exchange that would double an edge or join a node to itself is passed over.
  void run(espalier::Random& random) {
    constexpr std::size_t exchanges = 10;  // an edge, after which it has forgotten its ends
    if (edges_.size() < 2) return;
    for (std::size_t t = 0; t < exchanges * edges_.size(); ++t) {
      Edge& a = edges_[random.below(edges_.size())];
      Edge& b = edges_[random.below(edges_.size())];
      if (both_ways_ && random.below(2) == 1) std::swap(a.target, a.source);
      exchange(a, b);
    }
  }

  [[nodiscard]] CsrGraph graph() const {
    std::vector<Edge> edges = edges_;
    if (both_ways_) {
      for (const Edge& e : edges_) edges.push_back({e.source, e.target, e.weight});
    }
    return espalier::graph_from_edges(nodes_, nodes_, std::move(edges));
  }

 private:
  [[nodiscard]] std::uint64_t key(std::int64_t target, std::int64_t source) const {
    return static_cast<std::uint64_t>(target) * static_cast<std::uint64_t>(nodes_) +
           static_cast<std::uint64_t>(source);
  }
  [[nodiscard]] bool free(std::int64_t target, std::int64_t source) const {
    return target != source && !present_.contains(key(target, source));
  }
  void remove(const Edge& edge) {
    present_.erase(key(edge.target, edge.source));
    if (both_ways_) present_.erase(key(edge.source, edge.target));
  }
  void add(const Edge& edge) {
    present_.insert(key(edge.target, edge.source));
    if (both_ways_) present_.insert(key(edge.source, edge.target));
  }

  void exchange(Edge& a, Edge& b) {
    const bool same_ends = a.target == b.target || a.source == b.source;
    const bool crossing = both_ways_ && (a.target == b.source || a.source == b.target);
    if (same_ends || crossing || !free(a.target, b.source) || !free(b.target, a.source)) return;
    remove(a);
    remove(b);
    std::swap(a.source, b.source);
    add(a);
    add(b);
  }

  std::int64_t nodes_;
  bool both_ways_;
  std::vector<Edge> edges_;
  std::unordered_set<std::uint64_t> present_;
};

bool all_have_opposites(const CsrGraph& graph) {
  const std::vector<Edge> edges = espalier::edges_of(graph);
  std::vector<Edge> turned = edges;
  for (Edge& edge : turned) std::swap(edge.target, edge.source);
  const CsrGraph other = espalier::graph_from_edges(graph.targets, graph.sources, turned);
  return graph.rowptr.equal(other.rowptr) && graph.col.equal(other.col) &&
         graph.weight.equal(other.weight);
}

class RandomSupport final : public espalier::GraphSupport {
 public:
  RandomSupport(std::unique_ptr<espalier::GraphSupport> of, std::int64_t seed)
      : of_(std::move(of)), seed_(seed) {
    Rewiring rewiring(of_->graph(), all_have_opposites(of_->graph()));
    espalier::Random random(seed, "graph");
    rewiring.run(random);
    graph_ = rewiring.graph();
    graph_.facts = of_->graph().facts;
  }

  const CsrGraph& graph() const override { return graph_; }
  CsrGraph attach(const espalier::GraphInput& queries) const override {
    const CsrGraph model = of_->attach(queries);
    const at::Tensor features = queries.features.detach().cpu().contiguous();
    std::vector<Edge> edges = espalier::edges_of(model);
    for (auto first = edges.begin(); first != edges.end();) {
      const std::int64_t query = first->target;
      const auto last =
          std::find_if(first, edges.end(), [&](const Edge& edge) { return edge.target != query; });
      redirect({first, last}, features[query]);
      first = last;
    }
    return espalier::graph_from_edges(model.targets, model.sources, std::move(edges));
  }

 private:
  // A sample of the nodes without repetition (Floyd), then in random order.
  void redirect(std::span<Edge> edges, const at::Tensor& row) const {
    const std::string_view bytes(static_cast<const char*>(row.data_ptr()), row.nbytes());
    espalier::Random random(seed_, "graph:" + espalier::hex(espalier::sha256(bytes)));
    const auto nodes = static_cast<std::uint64_t>(graph_.targets);
    std::unordered_set<std::uint64_t> taken;
    std::vector<std::int64_t> sources;
    for (std::uint64_t j = nodes - edges.size(); j < nodes; ++j) {
      const std::uint64_t drawn = random.below(j + 1);
      const std::uint64_t chosen = taken.insert(drawn).second ? drawn : j;
      taken.insert(chosen);
      sources.push_back(static_cast<std::int64_t>(chosen));
    }
    random.shuffle(std::span(sources));
    for (std::size_t e = 0; e < edges.size(); ++e) edges[e].source = sources[e];
  }

  std::unique_ptr<espalier::GraphSupport> of_;
  std::int64_t seed_;
  CsrGraph graph_;
};

class RandomGraph final : public espalier::GraphBuilder {
 public:
  using Params = RandomParams;
  RandomGraph(const Params& params, const espalier::RunContext& context)
      : of_(context.make<espalier::GraphBuilder>(params.of)), seed_(context.seed()) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<RandomSupport>(of_->support(nodes), seed_);
  }

 private:
  std::shared_ptr<espalier::GraphBuilder> of_;
  std::int64_t seed_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "random", 1, RandomGraph,
                   "Joins nodes at random, with the degrees that another builder gives them",
                   "seeded wraps:of:edge_weight wraps:of:needs_other wraps:of:needs_texts "
                   "wraps:of:needs_ids")
