// A small set of components to plan with.
#pragma once

#include <cstdint>
#include <espalier/plugin/catalog.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier::testing_support {

inline FieldInfo field(std::string name, FieldType type, Json value) {
  FieldInfo info;
  info.name = std::move(name);
  info.type = type;
  info.default_value = std::move(value);
  return info;
}

inline FieldInfo number(std::string name, double value, double low, double high) {
  FieldInfo info = field(std::move(name), FieldType::number, value);
  info.min = low;
  info.max = high;
  return info;
}

inline FieldInfo integer(std::string name, std::int64_t value, double low, double high) {
  FieldInfo info = number(std::move(name), 0, low, high);
  info.type = FieldType::integer;
  info.default_value = value;
  return info;
}

inline FieldInfo only_if(FieldInfo info, std::string predicate) {
  info.only_if = std::move(predicate);
  return info;
}

inline FieldInfo path(std::string name, Json value) {
  FieldInfo info = field(std::move(name), FieldType::path, std::move(value));
  info.content = true;
  return info;
}

inline FieldInfo layer() {
  FieldInfo info = field("layer", FieldType::component, Json{{"use", "gcn"}});
  info.kind = "gnn";
  return info;
}

inline ComponentInfo component(std::string kind, std::string name,
                               std::vector<std::string> capabilities,
                               std::vector<FieldInfo> fields = {}) {
  ComponentInfo info;
  info.kind = std::move(kind);
  info.name = std::move(name);
  info.summary = "For tests";
  info.capabilities = std::move(capabilities);
  info.schema.fields = std::move(fields);
  return info;
}

inline std::vector<ComponentInfo> components() {
  std::vector<ComponentInfo> all{
      component("dataset", "flora", {"attributes"}, {integer("classes", 20, 2, 1000)}),
      component("dataset", "folder", {}, {path("root", nullptr)}),
      component("captioner", "none", {}),
      component("captioner", "attributes", {"needs_attributes", "seeded", "text"},
                {number("error_rate", 0, 0, 1)}),
      component("encoder", "classical", {"fitted", "image", "text"},
                {integer("bins", 8, 1, 64), path("weights", "")}),
      component("encoder", "clip", {"image", "shared_space", "sites", "text"}),
      component("encoder", "vit", {"image"}),
      component("graph", "none", {}),
      component("graph", "knn", {"edge_weight"},
                {integer("k", 10, 1, 1000),
                 only_if(field("weighted", FieldType::boolean, true), "has(gnn, edge_weight)")}),
      component("graph", "threshold", {"edge_weight"}, {number("tau", 0.7, -1, 1)}),
      component("gnn", "mlp", {"bipartite"}, {integer("width", 64, 1, 4096)}),
      component("gnn", "gcn", {"bipartite", "edge_weight", "graph"}, {integer("hops", 2, 1, 8)}),
      component("gnn", "gin", {"bipartite", "graph"}, {number("eps", 0, -1, 1)}),
      component("gnn", "gps", {"graph"}),
      component("gnn", "ga_net", {"identity_at_init", "wraps:layer"},
                {layer(), integer("bottleneck", 64, 1, 4096)}),
      component("peft", "none", {}),
      component("peft", "lora", {"needs_sites"}, {integer("rank", 8, 1, 1024)}),
      component("peft", "coop", {"class_template", "needs_features", "needs_sites"},
                {integer("n_ctx", 16, 1, 1024)}),
  };
  ComponentInfo checked =
      component("gnn", "checked", {"bipartite"}, {integer("a", 1, 0, 9), integer("b", 2, 0, 9)});
  checked.schema.checks = {{"a <= b", "a is larger than b"}};
  all.push_back(std::move(checked));
  return all;
}

inline const std::string base_text =
    "name: test\n"
    "base:\n"
    "  dataset: flora\n"
    "  encoder: {use: classical}\n"
    "  graph: {use: threshold, tau: 0.7}\n"
    "  gnn: {use: gcn}\n";

}  // namespace espalier::testing_support
