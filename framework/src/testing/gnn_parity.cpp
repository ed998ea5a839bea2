#include <espalier/testing/gnn_parity.hpp>

#include <ATen/TensorOperators.h>

#include <espalier/core/file.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/testing/suite.hpp>
#include <map>
#include <optional>

#include "network_internal.hpp"

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;

constexpr double parity_tolerance = 1e-5;

// A component's section and what its parameters are called in the case.
struct Layer {
  Json section;
  std::map<std::string, std::string> names;  // ours to the reference's
};

Error no_case(const fs::path& folder, const std::string& what, const std::string& found) {
  return Error({.what = "the folder is no case of a graph layer: " + what,
                .where = folder.string(),
                .expected = "meta.json and expected.safetensors as docs/parity.md describes them",
                .found = found,
                .fix = "tools/parity/make_gnn_case.py makes such a case"});
}

// A GCN of one layer; nothing where an argument has no counterpart.
std::optional<Layer> gcn(const Json& arguments) {
  static const std::map<std::string, std::string> known = {{"out_channels", "hidden"},
                                                           {"improved", "improved"},
                                                           {"add_self_loops", "self_loops"},
                                                           {"normalize", "normalize"},
                                                           {"bias", "bias"}};
  Layer layer{{{"use", "gcn"}, {"layers", 1}}, {{"layers.0.weight", "lin.weight"}}};
  for (const auto& [name, value] : arguments.items()) {
    const auto ours = known.find(name);
    if (ours == known.end()) return std::nullopt;
    layer.section[ours->second] = value;
  }
  if (layer.section.value("bias", true)) layer.names["layers.0.bias"] = "bias";
  return layer;
}

// The adapter around a GCN of its own width.
Layer ga_net(const Json& arguments) {
  Layer layer{arguments,
              {{"down.weight", "down.weight"},
               {"down.bias", "down.bias"},
               {"layer.layers.0.weight", "gnn.lin.weight"},
               {"layer.layers.0.bias", "gnn.bias"},
               {"up.weight", "up.weight"},
               {"up.bias", "up.bias"}}};
  layer.section["use"] = "ga_net";
  layer.section["layer"] = {{"use", "gcn"}, {"layers", 1}};
  return layer;
}

std::optional<Layer> layer_of(const Json& meta) {
  const std::string name = meta.at("layer").get<std::string>();
  const Json arguments = meta.value("arguments", Json::object());
  if (name == "GCNConv") return gcn(arguments);
  if (name == "GANet") return ga_net(arguments);
  return std::nullopt;
}

Subject subject_of(const Suite& suite, const std::string& component, Json params) {
  params.erase("use");
  for (const ComponentInfo& info : suite.components()) {
    if (info.kind == Gnn::kind && info.name == component) {
      return suite.settings(info, params).front();
    }
  }
  ESPALIER_ASSERT(false, "the suite was made for this component");
}

class LayerCase {
 public:
  LayerCase(const fs::path& folder, const Subject& subject, Layer layer)
      : folder_(folder),
        expected_(read_named_tensors(folder / "expected.safetensors")),
        layer_(std::move(layer)),
        x_(rows("x").clone().set_requires_grad(true)),
        graph_(graph("canonical", x_.size(0))),
        network_(subject, x_.size(1)) {
    take_parameters();
  }

  std::vector<TensorDifference> run() {
    compare_graph();
    if (expected_.contains("attach.out")) compare_attached();
    return std::move(rows_);
  }

 private:
  const at::Tensor& value(const std::string& name) const {
    const auto found = expected_.find(name);
    if (found == expected_.end()) {
      throw no_case(folder_ / "expected.safetensors", "a tensor is missing", "no " + name);
    }
    return found->second;
  }

  // A matrix in float32.
  at::Tensor rows(const std::string& name) const {
    const at::Tensor& found = value(name);
    if (found.dim() == 2) return found.to(at::kFloat);
    throw no_case(folder_ / "expected.safetensors", "a tensor is no matrix", name);
  }

  // Weights are 1 where the case has none.
  CsrGraph graph(const std::string& name, std::int64_t targets) const {
    const at::Tensor ends = value(name + ".edge_index").to(at::kLong).contiguous();
    const bool weighted = expected_.contains(name + ".edge_weight");
    const at::Tensor weights =
        weighted ? value(name + ".edge_weight").to(at::kFloat).contiguous() : at::Tensor();
    if (ends.dim() != 2 || ends.size(0) != 2 || (weighted && weights.numel() != ends.size(1))) {
      throw no_case(folder_ / "expected.safetensors", "the edges do not fit", name + ".edge_index");
    }
    std::vector<Edge> edges;
    const std::int64_t* const source = ends.data_ptr<std::int64_t>();
    const std::int64_t* const target = source + ends.size(1);
    for (std::int64_t e = 0; e < ends.size(1); ++e) {
      edges.push_back({node(target[e], targets), node(source[e], x_.size(0)),
                       weighted ? weights.data_ptr<float>()[e] : 1.0F});
    }
    return graph_from_edges(targets, x_.size(0), std::move(edges));
  }

  std::int64_t node(std::int64_t i, std::int64_t count) const {
    if (i >= 0 && i < count) return i;
    throw no_case(folder_ / "expected.safetensors", "an edge ends at no node", std::to_string(i));
  }

  const std::string& reference_name(const std::string& name) const {
    const auto found = layer_.names.find(name);
    if (found == layer_.names.end()) {
      throw no_case(folder_, "the component has a parameter that the layer has not", name);
    }
    return found->second;
  }

  void take_parameters() {
    std::vector<Parameters::Entry> values;
    for (const auto& [name, tensor] : network_.parameters().entries()) {
      const std::string theirs = "param." + reference_name(name);
      if (!value(theirs).sizes().equals(tensor.sizes())) {
        throw no_case(folder_ / "expected.safetensors", "a parameter has another shape", theirs);
      }
      values.emplace_back(name, value(theirs));
    }
    network_.restore(values);
  }

  void compare(const std::string& name, const at::Tensor& actual) {
    if (!expected_.contains(name)) return;
    rows_.push_back(compare_tensors(name, value(name), actual.defined() ? actual.detach() : actual,
                                    parity_tolerance));
  }

  void compare_graph() {
    graph_.weight.set_requires_grad(true);
    const at::Tensor out = network_.forward(x_, graph_);
    rows_.push_back(
        compare_tensors("canonical.out", value("canonical.out"), out.detach(), parity_tolerance));
    const at::Tensor probe = rows("canonical.probe");
    if (!probe.sizes().equals(out.sizes())) {
      throw no_case(folder_ / "expected.safetensors", "the probe does not fit the output",
                    "canonical.probe");
    }
    const at::Tensor loss = (out * probe).sum();
    compare("canonical.loss", loss);
    loss.backward();
    compare("canonical.grad.x", x_.grad());
    compare("canonical.grad.edge_weight", graph_.weight.grad());
    for (const auto& [name, tensor] : network_.parameters().entries()) {
      compare("canonical.grad." + reference_name(name), tensor.grad());
    }
  }

  void compare_attached() {
    const at::Tensor queries = rows("x_query");
    compare("attach.out", network_.attach(x_, graph_, queries, graph("attach", queries.size(0))));
  }

  fs::path folder_;
  NamedTensors expected_;
  Layer layer_;
  at::Tensor x_;
  CsrGraph graph_;
  Network network_;
  std::vector<TensorDifference> rows_;
};

}  // namespace

std::vector<TensorDifference> gnn_parity(const fs::path& folder, const Catalog& catalog) {
  const fs::path file = folder / "meta.json";
  try {
    const Json meta = parse_json(read_file(file), file.string());
    std::optional<Layer> layer = layer_of(meta);
    const ComponentInfo* component = nullptr;
    if (layer) component = catalog.find(Gnn::kind, layer->section.at("use").get<std::string>());
    if (component == nullptr) {
      throw Error({.what = "no component computes this layer",
                   .where = folder.string(),
                   .expected = "GCNConv or GANet, of one layer",
                   .found = meta.at("layer").get<std::string>() + " " +
                            meta.value("arguments", Json::object()).dump(),
                   .fix = "espalier plugins list shows what there is"});
    }
    const Suite suite(component->file);
    const Subject subject = subject_of(suite, component->name, layer->section);
    return LayerCase(folder, subject, *std::move(layer)).run();
  } catch (const Json::exception& error) {
    throw no_case(file, "its description cannot be used", error.what());
  }
}

}  // namespace espalier::conformance
