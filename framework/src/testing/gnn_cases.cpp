#include "gnn_cases_internal.hpp"

#include <ATen/core/Tensor.h>

#include <map>

namespace espalier::conformance {
namespace {

using Names = std::map<std::string, std::string>;

// A layer of PyTorch Geometric: the component, and what its arguments are called there.
struct Known {
  std::string component;
  Names arguments;
  bool stack = true;  // one convolution of a stack
};

Names with_heads(Names more) {
  more.insert({{"heads", "heads"}, {"concat", "concat"}, {"edge_dim", "edge_width"}});
  return more;
}

const std::map<std::string, Known>& known_layers() {
  static const Names of_attention = with_heads(
      {{"negative_slope", "negative_slope"}, {"add_self_loops", "self_loops"}, {"bias", "bias"}});
  static const std::map<std::string, Known> layers = {
      {"GCNConv",
       {"gcn",
        {{"improved", "improved"},
         {"add_self_loops", "self_loops"},
         {"normalize", "normalize"},
         {"bias", "bias"}}}},
      {"SAGEConv",
       {"sage",
        {{"aggr", "aggregate"},
         {"normalize", "normalize"},
         {"root_weight", "root_weight"},
         {"project", "project"},
         {"bias", "bias"}}}},
      {"GATConv", {"gat", of_attention}},
      {"GATv2Conv",
       {"gatv2", with_heads({{"negative_slope", "negative_slope"},
                             {"add_self_loops", "self_loops"},
                             {"share_weights", "share_weights"},
                             {"bias", "bias"}})}},
      {"TransformerConv",
       {"transformer",
        with_heads({{"beta", "beta"}, {"root_weight", "root_weight"}, {"bias", "bias"}})}},
      {"GINConv", {"gin", {{"eps", "eps"}, {"train_eps", "train_eps"}}}},
      {"GINEConv",
       {"gine", {{"eps", "eps"}, {"train_eps", "train_eps"}, {"edge_dim", "edge_width"}}}},
      {"EdgeConv", {"edge_conv", {}}},
      {"RGCNConv",
       {"rgcn",
        {{"num_relations", "relations"},
         {"num_bases", "bases"},
         {"num_blocks", "blocks"},
         {"root_weight", "root_weight"},
         {"bias", "bias"}}}},
      {"GraphConv", {"graph_conv", {{"bias", "bias"}}}},
      {"ChebConv", {"cheb", {{"K", "order"}, {"bias", "bias"}}}},
      {"GCN2Conv",
       {"gcn2",
        {{"alpha", "alpha"},
         {"theta", "theta"},
         {"layer", "layers"},
         {"shared_weights", "shared_weights"}}}},
      {"SGConv",
       {"sgc", {{"K", "steps"}, {"add_self_loops", "self_loops"}, {"bias", "bias"}}, false}},
      {"APPNP",
       {"appnp", {{"K", "steps"}, {"alpha", "alpha"}, {"add_self_loops", "self_loops"}}, false}},
      {"GPRGNN", {"gprgnn", {{"K", "steps"}}, false}},
      {"ARMAConv",
       {"arma",
        {{"num_stacks", "stacks"},
         {"num_layers", "layers"},
         {"shared_weights", "shared_weights"},
         {"bias", "bias"}},
        false}},
  };
  return layers;
}

// Arguments under our names; nothing where one has no counterpart.
std::optional<Json> section_of(const Known& known, const Json& arguments) {
  Json section = {{"use", known.component}};
  if (known.stack) section["layers"] = 1;
  for (const auto& [name, value] : arguments.items()) {
    if (name == "out_channels") {
      const bool side_by_side =
          known.arguments.contains("heads") && arguments.value("concat", true);
      const std::int64_t heads = side_by_side ? arguments.value("heads", std::int64_t{1}) : 1;
      section["hidden"] = value.get<std::int64_t>() * heads;
      continue;
    }
    const auto ours = known.arguments.find(name);
    if (ours == known.arguments.end()) return std::nullopt;
    section[ours->second] = value;
  }
  return section;
}

// Perceptrons stand in the case by their weights alone.
void take_perceptron(const NamedTensors& expected, const std::string& prefix, Json& section) {
  const auto rows = [&](const char* name) {
    const auto found = expected.find("param." + prefix + name);
    return found == expected.end() || found->second.dim() == 0 ? 0 : found->second.size(0);
  };
  if (rows("nn.0.weight") == 0) return;
  section["mlp_hidden"] = rows("nn.0.weight");
  section["hidden"] = rows("nn.2.weight");
}

std::optional<RecordedLayer> one_layer(const std::string& name, const Json& arguments,
                                       const std::string& prefix, const NamedTensors& expected) {
  const auto known = known_layers().find(name);
  if (known == known_layers().end()) return std::nullopt;
  std::optional<Json> section = section_of(known->second, arguments);
  if (!section) return std::nullopt;
  take_perceptron(expected, prefix, *section);
  RecordedLayer layer{.section = *std::move(section), .prefix = prefix};
  if (name == "GCN2Conv") {
    layer.step = layer.section.at("layers").get<std::int64_t>() - 1;
    layer.section["activation"] = "identity";
  }
  return layer;
}

// The adapter around a GCN of its own width.
RecordedLayer ga_net(const Json& arguments) {
  RecordedLayer layer{.section = arguments, .prefix = {}};
  layer.section["use"] = "ga_net";
  layer.section["layer"] = {{"use", "gcn"}, {"layers", 1}};
  return layer;
}

std::vector<RecordedLayer> two_layers(const Json& arguments, const NamedTensors& expected) {
  const auto name = arguments.at("layer").get<std::string>();
  std::vector<RecordedLayer> both;
  for (const auto& [prefix, width] :
       {std::pair{"first.", "hidden"}, std::pair{"second.", "out_channels"}}) {
    auto layer = one_layer(name, {{"out_channels", arguments.at(width)}}, prefix, expected);
    if (!layer) return {};
    both.push_back(*std::move(layer));
  }
  return both;
}

// `text` without what stands before the first name of a layer: "layers.1." of "layers.1.bias".
std::optional<std::string> without_layer(const std::string& text, std::int64_t layer) {
  if (!text.starts_with("layers.")) return text;
  const std::string start = "layers." + std::to_string(layer) + ".";
  if (!text.starts_with(start)) return std::nullopt;
  return text.substr(start.size());
}

}  // namespace

std::optional<std::string> RecordedLayer::name_of(const std::string& ours) const {
  const std::string inner = "layer.";
  if (ours.starts_with(inner)) {
    const auto name = without_layer(ours.substr(inner.size()), 0);
    return name ? std::optional("gnn." + *name) : std::nullopt;
  }
  const auto name = without_layer(ours, step.value_or(0));
  return name ? std::optional(prefix + *name) : std::nullopt;
}

std::vector<RecordedLayer> recorded_layers(const Json& meta, const NamedTensors& expected) {
  const auto name = meta.at("layer").get<std::string>();
  const Json arguments = meta.value("arguments", Json::object());
  if (name == "GANet") return {ga_net(arguments)};
  if (name == "TwoLayers") return two_layers(arguments, expected);
  auto layer = one_layer(name, arguments, {}, expected);
  if (!layer) return {};
  return {*std::move(layer)};
}

std::string recorded_layer_names() {
  std::string names = "GANet";
  for (const auto& [name, known] : known_layers()) names += ", " + name;
  return names;
}

}  // namespace espalier::conformance
