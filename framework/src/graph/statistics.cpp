#include <espalier/graph/statistics.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <espalier/core/error.hpp>
#include <map>

#include "disjoint_sets_internal.hpp"

namespace espalier {
namespace {

template <class Visit>
void each_edge(const CsrGraph& graph, const Visit& visit) {
  const auto* begin = graph.rowptr.data_ptr<std::int64_t>();
  const auto* col = graph.col.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < graph.targets; ++i) {
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) visit(i, col[e]);
  }
}

void add_degrees(const CsrGraph& graph, Json& out) {
  const auto n = static_cast<std::size_t>(graph.targets);
  std::vector<std::int64_t> in(n, 0);
  std::vector<bool> touched(n, false);
  each_edge(graph, [&](std::int64_t target, std::int64_t source) {
    ++in[static_cast<std::size_t>(target)];
    touched[static_cast<std::size_t>(target)] = true;
    touched[static_cast<std::size_t>(source)] = true;
  });
  out["isolated"] = std::count(touched.begin(), touched.end(), false);
  if (n == 0) return;
  const auto [least, most] = std::minmax_element(in.begin(), in.end());
  out["degree_min"] = *least;
  out["degree_max"] = *most;
  const double mean = static_cast<double>(graph.edges()) / static_cast<double>(n);
  double squares = 0;
  for (const std::int64_t d : in)
    squares += (static_cast<double>(d) - mean) * (static_cast<double>(d) - mean);
  out["degree_mean"] = mean;
  out["degree_std"] = std::sqrt(squares / static_cast<double>(n));
}

void add_components(const CsrGraph& graph, Json& out) {
  const std::vector<std::int64_t> component = components(graph);
  std::vector<std::int64_t> sizes(component.size(), 0);
  for (const std::int64_t c : component) ++sizes[static_cast<std::size_t>(c)];
  out["components"] = static_cast<std::int64_t>(sizes.size()) -
                      std::count(sizes.begin(), sizes.end(), std::int64_t{0});
  out["largest_component"] = sizes.empty() ? 0 : *std::max_element(sizes.begin(), sizes.end());
}

void add_reciprocity(const CsrGraph& graph, Json& out) {
  const auto* begin = graph.rowptr.data_ptr<std::int64_t>();
  const auto* col = graph.col.data_ptr<std::int64_t>();
  std::int64_t returned = 0;
  each_edge(graph, [&](std::int64_t target, std::int64_t source) {
    returned += std::binary_search(col + begin[source], col + begin[source + 1], target) ? 1 : 0;
  });
  const auto edges = static_cast<double>(graph.edges());
  out["reciprocity"] = edges > 0 ? static_cast<double>(returned) / edges : 0.0;
}

struct Share {
  std::int64_t all = 0;
  std::int64_t equal = 0;

  void add(bool is_equal) {
    ++all;
    equal += is_equal ? 1 : 0;
  }
  [[nodiscard]] double value() const {
    return static_cast<double>(equal) / static_cast<double>(all);
  }
};

double mean_share(const std::vector<Share>& of_nodes) {
  double sum = 0;
  std::int64_t nodes = 0;
  for (const Share& share : of_nodes) {
    if (share.all == 0) continue;
    sum += share.value();
    ++nodes;
  }
  return sum / static_cast<double>(nodes);
}

double class_insensitive(const std::map<std::int64_t, Share>& into_classes,
                         std::span<const std::int64_t> labels) {
  std::map<std::int64_t, double> sizes;
  double labelled = 0;
  for (const std::int64_t label : labels) {
    if (label < 0) continue;
    sizes[label] += 1;
    labelled += 1;
  }
  if (sizes.size() < 2) return 0;
  double sum = 0;
  for (const auto& [label, share] : into_classes) {
    sum += std::max(0.0, share.value() - sizes.at(label) / labelled);
  }
  return sum / static_cast<double>(sizes.size() - 1);
}

}  // namespace

std::vector<std::int64_t> components(const CsrGraph& graph) {
  ESPALIER_ASSERT(graph.square(), "components are of one node set");
  DisjointSets sets(graph.targets);
  each_edge(graph, [&](std::int64_t target, std::int64_t source) { sets.join(target, source); });
  std::vector<std::int64_t> component;
  component.reserve(static_cast<std::size_t>(graph.targets));
  for (std::int64_t i = 0; i < graph.targets; ++i) component.push_back(sets.root(i));
  return component;
}

std::optional<Homophily> homophily(const CsrGraph& graph, std::span<const std::int64_t> labels) {
  ESPALIER_ASSERT(static_cast<std::int64_t>(labels.size()) == graph.targets, "one label a node");
  Share edges;
  std::vector<Share> into_nodes(labels.size());
  std::map<std::int64_t, Share> into_classes;
  each_edge(graph, [&](std::int64_t target, std::int64_t source) {
    const std::int64_t own = labels[static_cast<std::size_t>(target)];
    const std::int64_t other = labels[static_cast<std::size_t>(source)];
    if (own < 0 || other < 0) return;
    edges.add(own == other);
    into_nodes[static_cast<std::size_t>(target)].add(own == other);
    into_classes[own].add(own == other);
  });
  if (edges.all == 0) return std::nullopt;
  return Homophily{.edge = edges.value(),
                   .node = mean_share(into_nodes),
                   .insensitive = class_insensitive(into_classes, labels)};
}

Json graph_statistics(const CsrGraph& graph) {
  const auto n = static_cast<double>(graph.targets);
  Json out = graph.facts;
  out["nodes"] = graph.targets;
  out["edges"] = graph.edges();
  out["density"] = n > 1 ? static_cast<double>(graph.edges()) / (n * (n - 1)) : 0.0;
  add_degrees(graph, out);
  add_reciprocity(graph, out);
  add_components(graph, out);
  return out;
}

std::string recall_warning(const Json& facts) {
  constexpr double least = 0.9;
  const bool missed = std::ranges::any_of(facts.items(), [&](const auto& fact) {
    return fact.key().ends_with("recall") && fact.value() < least;
  });
  if (!missed) return {};
  return "the search for neighbours missed more than a tenth of them, as recall says beside the "
         "graph's other figures: more probes or fewer lists find more";
}

Json homophily_statistics(const CsrGraph& graph, std::span<const std::int64_t> labels) {
  const std::optional<Homophily> found = homophily(graph, labels);
  if (!found) {
    return {{"edge_homophily", nullptr}, {"node_homophily", nullptr}, {"class_homophily", nullptr}};
  }
  return {{"edge_homophily", found->edge},
          {"node_homophily", found->node},
          {"class_homophily", found->insensitive}};
}

Json similarity_statistics(const SimilaritySearch& search, std::int64_t pairs) {
  constexpr std::size_t bins = 64;
  const std::vector<double> cosines = search.sampled_cosines(pairs, Random(std::uint64_t{1}));
  if (cosines.empty()) return Json::object();
  std::array<std::int64_t, bins> histogram{};
  double sum = 0, squares = 0;
  for (const double s : cosines) {
    const auto bin = static_cast<std::size_t>((s + 1) / 2 * static_cast<double>(bins));
    ++histogram[std::min(bin, bins - 1)];
    sum += s;
    squares += s * s;
  }
  const double mean = sum / static_cast<double>(cosines.size());
  const double variance = squares / static_cast<double>(cosines.size()) - mean * mean;
  return {{"similarity_mean", mean},
          {"similarity_std", std::sqrt(std::max(0.0, variance))},
          {"similarity_histogram", histogram}};
}

std::int64_t near_duplicates(const SimilaritySearch& search, const at::Tensor& queries) {
  constexpr double near = 0.99;
  const Neighbours found = search.nearest(queries, 1);
  return std::count_if(found.begin(), found.end(), [](const std::vector<Neighbour>& list) {
    return !list.empty() && list.front().cosine > near;
  });
}

}  // namespace espalier
