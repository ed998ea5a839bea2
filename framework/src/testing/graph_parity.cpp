#include <espalier/testing/graph_parity.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/graph/statistics.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/plugin/graph.hpp>
#include <espalier/testing/suite.hpp>
#include <optional>

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;

constexpr double edge_tolerance = 1e-5;
constexpr double figure_tolerance = 1e-6;  // the reference averages in float32

Json meta_of(const fs::path& folder) {
  const fs::path file = folder / "meta.json";
  return parse_json(read_file(file), file.string());
}

// The builder and the settings that a name stands for; nothing where it is no known name.
std::optional<std::pair<std::string, Json>> recipe_of(const std::string& name, const Json& meta) {
  if (name.starts_with("threshold_")) {
    return std::pair("threshold", Json{{"tau", std::stod(name.substr(10))}});
  }
  Json params = {{"k", meta.at("k")}, {"symmetry", "directed"}};
  for (const auto& [metric, ours] : {std::pair("cosine", "cosine"), {"euclidean", "l2"}}) {
    const std::string start = std::string("knn_") + metric;
    if (!name.starts_with(start)) continue;
    params["metric"] = ours;
    if (name.size() > start.size()) params["symmetry"] = name.substr(start.size() + 1);
    return std::pair("knn", params);
  }
  return std::nullopt;
}

class GraphCase {
 public:
  GraphCase(const fs::path& folder, const Catalog& catalog)
      : catalog_(catalog),
        meta_(meta_of(folder)),
        expected_(read_named_tensors(folder / "expected.safetensors")),
        x_(value("x").to(at::kFloat)) {}

  std::vector<TensorDifference> run() {
    for (const auto& [name, figures] : meta_.at("graphs").items()) {
      const auto recipe = recipe_of(name, meta_);
      if (recipe) compare_graph(name, build(recipe->first, recipe->second), figures);
    }
    for (const Json& wanted : meta_.at("automatic_threshold")) compare_threshold(wanted);
    if (expected_.contains("local_scaling")) compare_local_scaling();
    return std::move(rows_);
  }

 private:
  const at::Tensor& value(const std::string& name) const {
    const auto found = expected_.find(name);
    if (found != expected_.end()) return found->second;
    throw Error({.what = "the folder is no case of graphs: a tensor is missing",
                 .where = "expected.safetensors",
                 .expected = name,
                 .found = {},
                 .fix = {}});
  }

  CsrGraph build(const std::string& name, const Json& params) const {
    const ComponentInfo* component = catalog_.find(GraphBuilder::kind, name);
    if (component == nullptr) {
      throw Error({.what = "no component builds this graph",
                   .where = "graph/" + name,
                   .expected = {},
                   .found = {},
                   .fix = "espalier plugins list shows what there is"});
    }
    const Suite suite(component->file);
    for (const ComponentInfo& info : suite.components()) {
      if (info.name != name) continue;
      const auto builder = suite.settings(info, params).front().make<GraphBuilder>();
      return builder->support({.features = x_})->graph();
    }
    ESPALIER_ASSERT(false, "the suite was made for this component");
  }

  void compare(const std::string& name, const at::Tensor& wanted, const at::Tensor& got,
               double tolerance) {
    rows_.push_back(compare_tensors(name, wanted, got, tolerance));
  }
  void compare(const std::string& name, double wanted, double got, double tolerance) {
    compare(name, at::tensor(wanted, at::kDouble), at::tensor(got, at::kDouble), tolerance);
  }

  // Edges as (sources, targets), sorted by target and source.
  void compare_edges(const std::string& name, const at::Tensor& wanted, const CsrGraph& graph) {
    compare(name, wanted, at::stack({graph.col, edge_index(graph)->row}), 0);
  }

  void compare_graph(const std::string& name, const CsrGraph& graph, const Json& figures) {
    const std::string prefix = "graph." + name + ".";
    compare_edges(prefix + "edge_index", value(prefix + "edge_index"), graph);
    compare(prefix + "cosine", value(prefix + "cosine").to(at::kFloat).clamp_min(0), graph.weight,
            edge_tolerance);
    const at::Tensor labels = value("labels").contiguous();
    const std::span<const std::int64_t> all(labels.data_ptr<std::int64_t>(),
                                            static_cast<std::size_t>(labels.numel()));
    Json got = graph_statistics(graph);
    got.update(homophily_statistics(graph, all));
    const Json& same = figures.at("homophily");
    const std::pair<const char*, Json> wanted[] = {
        {"density", figures.at("density")},
        {"degree_std", figures.at("degree").at("std")},
        {"isolated", figures.at("isolated")},
        {"reciprocity", figures.at("reciprocity")},
        {"components", figures.at("components")},
        {"largest_component", figures.at("largest_component")},
        {"edge_homophily", same.at("edge")},
        {"node_homophily", same.at("node_of_connected")},
        {"class_homophily", same.at("edge_insensitive")}};
    for (const auto& [figure, number] : wanted) {
      compare(prefix + figure, number.get<double>(), got.at(figure).get<double>(),
              figure_tolerance);
    }
  }

  void compare_threshold(const Json& wanted) {
    const auto degree = wanted.at("average_degree").get<double>();
    const CsrGraph graph = build("threshold", {{"tau_from", "degree"}, {"degree", degree}});
    const std::string prefix = "automatic_threshold." + wanted.at("average_degree").dump() + ".";
    compare(prefix + "tau", wanted.at("tau").get<double>(), graph.facts.at("tau").get<double>(),
            figure_tolerance);
    compare(prefix + "realised", wanted.at("realised").get<double>(),
            static_cast<double>(graph.edges()) / static_cast<double>(graph.targets),
            figure_tolerance);
  }

  void compare_local_scaling() {
    const CsrGraph graph =
        build("local_scaling", {{"k", meta_.at("k")}, {"scale", meta_.at("scaling_neighbour")}});
    compare_edges("local_scaling.edge_index", value("graph.knn_euclidean_union.edge_index"), graph);
    compare("local_scaling", value("local_scaling"), graph.weight, edge_tolerance);
  }

  const Catalog& catalog_;
  Json meta_;
  NamedTensors expected_;
  at::Tensor x_;
  std::vector<TensorDifference> rows_;
};

}  // namespace

bool is_graph_case(const fs::path& folder) {
  if (!fs::exists(folder / "meta.json")) return false;
  const Json meta = meta_of(folder);
  return meta.is_object() && meta.contains("graphs");
}

std::vector<TensorDifference> graph_parity(const fs::path& folder, const Catalog& catalog) try {
  return GraphCase(folder, catalog).run();
} catch (const Json::exception& error) {
  throw Error({.what = "the folder is no case of graphs: its description cannot be used",
               .where = (folder / "meta.json").string(),
               .expected = "graphs, k and automatic_threshold as docs/parity.md describes them",
               .found = error.what(),
               .fix = {}});
}

}  // namespace espalier::conformance
