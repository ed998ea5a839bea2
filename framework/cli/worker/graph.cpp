#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "results/graph_file.hpp"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/graph/statistics.hpp>
#include <espalier/plugin/graph.hpp>
#include <iostream>

#include "graph_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Only those that training may see.
std::vector<std::int64_t> training_labels(const GraphNodes& nodes) {
  std::vector<std::int64_t> labels = nodes.labels;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool seen = nodes.splits.empty() || nodes.splits[i] == "train" ||
                      nodes.splits[i] == to_string(Split::none);
    if (!seen) labels[i] = -1;
  }
  return labels;
}

// Nodes with a near copy in the training split, of every other split among the nodes.
Json copies_across_splits(const GraphNodes& nodes) {
  Json out = Json::object();
  const auto rows_of = [&](const std::string& split) {
    std::vector<std::int64_t> places;
    for (std::size_t i = 0; i < nodes.splits.size(); ++i) {
      if (nodes.splits[i] == split) places.push_back(static_cast<std::int64_t>(i));
    }
    at::Tensor index = nodes.features.new_zeros({std::ssize(places)}, at::kLong);
    std::copy(places.begin(), places.end(), index.data_ptr<std::int64_t>());
    return nodes.features.index_select(0, index);
  };
  const SimilaritySearch training(rows_of("train"));
  if (training.size() == 0) return out;
  for (const char* split : {"val", "test"}) {
    const at::Tensor rows = rows_of(split);
    if (rows.size(0) > 0) {
      out[std::string("near_duplicates_") + split] = near_duplicates(training, rows);
    }
  }
  return out;
}

Json statistics_of(const CsrGraph& graph, const GraphNodes& nodes) {
  constexpr std::int64_t pairs = 100000;
  Json out = graph_statistics(graph);
  if (!nodes.labels.empty()) out.update(homophily_statistics(graph, training_labels(nodes)));
  out.update(similarity_statistics(SimilaritySearch(nodes.features), pairs));
  out.update(copies_across_splits(nodes));
  return out;
}

// The counts as a line of blocks, one for two bins.
std::string blocks_of(const std::vector<std::int64_t>& counts) {
  static const char* const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<std::int64_t> pairs;
  for (std::size_t i = 0; i + 1 < counts.size(); i += 2) pairs.push_back(counts[i] + counts[i + 1]);
  const std::int64_t most =
      std::max<std::int64_t>(1, *std::max_element(pairs.begin(), pairs.end()));
  std::string line;
  for (const std::int64_t count : pairs) line += blocks[(count * 8 + most - 1) / most];
  return line;
}

void print(const Json& statistics) {
  for (const auto& [name, value] : statistics.items()) {
    if (name == "similarity_histogram") {
      std::printf("  %-22s -1 |%s| 1\n", name.c_str(),
                  blocks_of(value.get<std::vector<std::int64_t>>()).c_str());
    } else if (value.is_number_float()) {
      std::printf("  %-22s %.6g\n", name.c_str(), value.get<double>());
    } else {
      std::printf("  %-22s %s\n", name.c_str(), value.is_null() ? "none" : value.dump().c_str());
    }
  }
}

void write_graph(const std::string& path, const CsrGraph& graph, const GraphNodes& nodes,
                 const Json& attributes) {
  const auto edges = static_cast<std::size_t>(graph.edges());
  GraphFile file{.nodes = graph.targets,
                 .indptr = {graph.rowptr.data_ptr<std::int64_t>(),
                            static_cast<std::size_t>(graph.targets) + 1},
                 .indices = {graph.col.data_ptr<std::int64_t>(), edges},
                 .data = {graph.weight.data_ptr<float>(), edges},
                 .relation = {},
                 .ids = nodes.ids,
                 .splits = nodes.splits,
                 .labels = nodes.labels,
                 .attributes = attributes};
  if (graph.relation.defined()) file.relation = {graph.relation.data_ptr<std::int8_t>(), edges};
  write_graph_file(path, file);
}

void describe_graph(const Json& request, EncodeComponents& components) {
  const GraphNodes nodes = request.contains("tensors") ? nodes_of_tensors(request)
                                                       : nodes_of_dataset(request, components);
  const auto builder = components.make<GraphBuilder>(request.at("graph"));
  const auto begin = Clock::now();
  const auto support = builder->support({.features = nodes.features,
                                         .other = nodes.other,
                                         .texts = nodes.texts,
                                         .ids = nodes.ids,
                                         .known_ids = nodes.known_ids});
  const CsrGraph& graph = support->graph();
  const double seconds = seconds_since(begin);
  const std::string name = "graph/" + request.at("graph").at("use").get<std::string>();
  std::printf("%s over %lld nodes, built in %.2f s\n", name.c_str(),
              static_cast<long long>(graph.targets), seconds);
  const Json statistics = statistics_of(graph, nodes);
  print(statistics);
  if (graph.edges() == 0) {
    std::puts("The graph has no edges: a network on it sees each node alone.");
  }
  if (const std::string text = recall_warning(statistics); !text.empty()) {
    std::printf("warning: %s\n", text.c_str());
  }
  if (const std::string out = request.at("out"); !out.empty()) {
    Json attributes = statistics;
    attributes["builder"] = request.at("graph").dump();
    write_graph(out, graph, nodes, attributes);
    std::printf("written: %s\n", out.c_str());
  }
  if (const std::string picture = request.at("picture"); !picture.empty()) {
    write_file(picture, graph_picture(graph, nodes, request.at("shown").get<std::size_t>(), name));
    std::printf("drawn: %s\n", picture.c_str());
  }
}

}  // namespace

int graph(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1 || arguments[0] == "--help") {
    std::cout << "usage: espalier-worker graph REQUEST\n\nespalier graph makes the request, a JSON "
                 "object.\n\nexample:\n  espalier graph --help\n";
    return arguments.size() == 1 ? 0 : 2;
  }
  const Json request = parse_json(arguments[0], "request");
  const c10::AutoGradMode without_gradients(false);
  at::set_num_threads(request.at("threads").get<int>());
  EncodeComponents components(request);
  describe_graph(request, components);
  return 0;
}

}  // namespace espalier::cli
