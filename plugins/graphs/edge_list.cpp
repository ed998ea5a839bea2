// Edges that a file lists, between samples by their ids: a taxonomy, citations, co-purchases.
#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/dataset/edge_file.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <filesystem>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace {

using espalier::CsrGraph;
using espalier::Edge;
using espalier::NamedEdge;

struct EdgeListParams {
  espalier::ContentPath file;
  bool directed = false;
};

void bind(espalier::Schema<EdgeListParams>& s) {
  s.field("file", &EdgeListParams::file)
      .required()
      .doc("Rows of source, target and perhaps a weight; .tsv is separated by tabs");
  s.field("directed", &EdgeListParams::directed)
      .doc("An edge goes from source to target alone, else both ways");
}

std::vector<NamedEdge> read_edges(const EdgeListParams& params) {
  constexpr std::size_t largest = std::size_t{1} << 28;
  const std::filesystem::path file = espalier::resolve_path(params.file.text);
  const char delimiter = file.extension() == ".tsv" ? '\t' : ',';
  std::vector<NamedEdge> edges =
      espalier::parse_edge_list(espalier::read_file(file, largest), file.string(), delimiter);
  if (edges.empty()) {
    throw espalier::Error({.what = "a list of edges has no edge",
                           .where = file.string(),
                           .expected = "rows of source,target or source,target,weight",
                           .found = {},
                           .fix = "graph.use=none is a graph without edges"});
  }
  if (params.directed) return edges;
  const std::size_t count = edges.size();
  for (std::size_t e = 0; e < count; ++e) {
    NamedEdge back = edges[e];
    std::swap(back.source, back.target);
    edges.push_back(std::move(back));
  }
  return edges;
}

// Each unknown id once.
void require_known(const std::vector<NamedEdge>& edges, std::span<const std::string> known,
                   const std::string& file) {
  constexpr std::size_t most = 10;
  std::unordered_set<std::string_view> ids(known.begin(), known.end());
  espalier::Problems problems;
  for (const NamedEdge& edge : edges) {
    for (const std::string* id : {&edge.source, &edge.target}) {
      if (!ids.insert(*id).second || problems.size() >= most) continue;
      problems.add({.what = "an edge names a sample that the dataset has not",
                    .where = file + ":" + std::to_string(edge.line),
                    .expected = known.empty() ? "" : "an id such as " + known.front(),
                    .found = *id,
                    .fix = "espalier data shows the ids of a dataset"});
    }
  }
  problems.throw_if_any();
}

// Where each id stands among the nodes, of two views more than once.
std::unordered_multimap<std::string, std::int64_t> places_of(std::span<const std::string> ids) {
  std::unordered_multimap<std::string, std::int64_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], static_cast<std::int64_t>(i));
  return places;
}

class EdgeListSupport final : public espalier::GraphSupport {
 public:
  EdgeListSupport(const EdgeListParams& params, const espalier::GraphInput& nodes)
      : sources_(places_of(nodes.ids)), n_(nodes.nodes()) {
    for (NamedEdge& edge : listed(params, nodes)) into_[edge.target].push_back(std::move(edge));
    std::vector<Edge> edges = edges_into(nodes.ids);
    std::erase_if(edges, [](const Edge& edge) { return edge.target == edge.source; });
    graph_ = espalier::graph_from_edges(n_, n_, std::move(edges));
    graph_.facts = {{"listed_edges", listed_}};
  }

  const CsrGraph& graph() const override { return graph_; }
  CsrGraph attach(const espalier::GraphInput& queries) const override {
    return espalier::graph_from_edges(queries.nodes(), n_, edges_into(queries.ids));
  }

 private:
  std::vector<NamedEdge> listed(const EdgeListParams& params, const espalier::GraphInput& nodes) {
    std::vector<NamedEdge> edges = read_edges(params);
    require_known(edges, nodes.known_ids, params.file.text);
    listed_ = std::ssize(edges);
    return edges;
  }

  [[nodiscard]] std::vector<Edge> edges_into(std::span<const std::string> targets) const {
    std::vector<Edge> edges;
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const auto found = into_.find(targets[t]);
      if (found == into_.end()) continue;
      for (const NamedEdge& edge : found->second) {
        const auto [first, last] = sources_.equal_range(edge.source);
        for (auto place = first; place != last; ++place) {
          edges.push_back(
              {static_cast<std::int64_t>(t), place->second, static_cast<float>(edge.weight)});
        }
      }
    }
    return edges;
  }

  std::unordered_map<std::string, std::vector<NamedEdge>> into_;  // by target
  std::unordered_multimap<std::string, std::int64_t> sources_;
  std::int64_t n_;
  std::int64_t listed_ = 0;
  CsrGraph graph_;
};

class EdgeList final : public espalier::GraphBuilder {
 public:
  using Params = EdgeListParams;
  EdgeList(const Params& params, const espalier::RunContext&) : params_(params) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<EdgeListSupport>(params_, nodes);
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "edge_list", 1, EdgeList, "Joins the samples that a file says",
                   "edge_weight needs_ids")
