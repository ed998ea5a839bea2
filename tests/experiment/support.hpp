// A small set of components, and experiments written in place.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/error.hpp>
#include <espalier/experiment/plan.hpp>
#include <espalier/experiment/source.hpp>
#include <filesystem>
#include <fstream>
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

// A folder that goes away with the test.
class Experiment : public testing::Test {
 protected:
  Experiment()
      : folder_(std::filesystem::path(testing::TempDir()) /
                (std::string("experiment_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
                 std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Experiment() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  [[nodiscard]] ExperimentSource source(const std::string& yaml,
                                        const std::vector<std::string>& overrides = {}) const {
    return ExperimentSource::read(put("e.yaml", yaml), overrides);
  }

  [[nodiscard]] Plan plan(const std::string& yaml, const std::vector<std::string>& overrides = {},
                          std::vector<ComponentInfo> catalog = components()) const {
    return Plan::make(source(yaml, overrides), Catalog::of(std::move(catalog)),
                      folder_ / "results");
  }

  // The text of the Error, with the folder taken out.
  [[nodiscard]] std::string message(const std::string& yaml,
                                    const std::vector<std::string>& overrides = {}) const {
    try {
      (void)plan(yaml, overrides);
    } catch (const Error& error) {
      std::string text = error.what();
      const std::string prefix = folder_.string() + "/";
      for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
        text.erase(at, prefix.size());
      }
      return text;
    }
    return "no error";
  }

  [[nodiscard]] std::string id(const std::string& yaml,
                               const std::vector<std::string>& overrides = {}) const {
    return hex(plan(yaml, overrides).trials().front().trial_id);
  }

  std::filesystem::path folder_;
};

// How many trials of a plan are in each state: planned, duplicate, excluded, impossible.
inline std::vector<int> states(const Plan& plan) {
  std::vector<int> counts(4);
  for (const PlannedTrial& trial : plan.trials()) ++counts[static_cast<std::size_t>(trial.state)];
  return counts;
}

}  // namespace espalier::testing_support
