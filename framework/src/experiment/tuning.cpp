#include "experiment/tuning.hpp"

#include <algorithm>
#include <cstdint>
#include <espalier/core/random.hpp>
#include <numeric>
#include <span>
#include <string>
#include <utility>

namespace espalier {
namespace {

constexpr std::string_view tuned_section = "train.";

bool is_grid_axis(const std::string& key, const Json& values) {
  return key.starts_with(tuned_section) && values.is_array() && !values.empty();
}

std::uint64_t grid_size(const Json& resolved) {
  std::uint64_t size = 0;
  for (const auto& [key, values] : resolved.items()) {
    if (!is_grid_axis(key, values)) continue;
    size = std::max<std::uint64_t>(size, 1) * std::min<std::uint64_t>(values.size(), 1U << 20);
    if (size > most_candidates) return size;
  }
  return size;
}

std::vector<std::uint64_t> drawn(std::uint64_t all, std::uint64_t wanted) {
  std::vector<std::uint64_t> indices(all);
  std::iota(indices.begin(), indices.end(), std::uint64_t{0});
  if (wanted == 0 || wanted >= all) return indices;
  Random(1, "tune").shuffle(std::span(indices));
  indices.resize(wanted);
  std::sort(indices.begin(), indices.end());
  return indices;
}

Json candidate_at(const Json& resolved, std::uint64_t index) {
  Json settings = Json::object();
  for (auto axis = resolved.crbegin(); axis != resolved.crend(); ++axis) {
    if (!is_grid_axis(axis.key(), *axis)) continue;
    settings[axis.key().substr(tuned_section.size())] = (*axis)[index % axis->size()];
    index /= axis->size();
  }
  return settings;
}

void refuse_twins(const Json& resolved, const Locator& locate, Problems& problems) {
  for (const auto& [key, values] : resolved.items()) {
    if (!is_grid_axis(key, values)) continue;
    std::vector<Json> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const auto twin = std::adjacent_find(sorted.begin(), sorted.end());
    if (twin == sorted.end()) continue;
    problems.add({.what = "\"tune." + key + "\" has a value twice",
                  .where = locate("tune." + key),
                  .expected = "values that differ",
                  .found = twin->dump(),
                  .fix = {}});
  }
}

}  // namespace

Json dotted(const Json& section) {
  if (!section.is_object()) return section;
  Json flat = Json::object();
  for (const auto& [key, value] : section.items()) {
    if (!value.is_object()) {
      flat[key] = value;
      continue;
    }
    const Json below = dotted(value);
    for (const auto& [name, member] : below.items()) flat[key + "." + name] = member;
  }
  return flat;
}

std::vector<Json> tune_candidates(const Json& resolved) {
  std::vector<Json> candidates;
  const std::uint64_t all = grid_size(resolved);
  if (all == 0 || all > most_candidates) return candidates;
  const auto trials = static_cast<std::uint64_t>(resolved.at("trials").get<std::int64_t>());
  for (const std::uint64_t index : drawn(all, trials)) {
    candidates.push_back(candidate_at(resolved, index));
  }
  return candidates;
}

bool leaves_tau_to_validation(const Json& graph) {
  return graph.value("tau_from", std::string()) == "validation";
}

std::vector<Json> trial_candidates(const Json& config, bool edges, bool trained) {
  const Json& graph = config.at("graph");
  std::vector<Json> taus, settings, both;
  if (edges && leaves_tau_to_validation(graph)) {
    for (const Json& tau : graph.at("taus")) taus.push_back({{"graph.tau", tau}});
  }
  if (const auto tune = config.find("tune"); trained && tune != config.end()) {
    for (const Json& candidate : tune_candidates(*tune)) {
      settings.push_back(dotted({{"train", candidate}}));
    }
  }
  if (taus.empty()) return settings;
  if (settings.empty()) return taus;
  for (const Json& tau : taus) {
    for (const Json& setting : settings) {
      both.push_back(tau);
      both.back().update(setting);
    }
  }
  return both;
}

Json with_candidate(Json config, const Json& candidate) {
  for (const auto& [key, value] : candidate.items()) {
    const std::size_t dot = key.find('.');
    config[key.substr(0, dot)][key.substr(dot + 1)] = value;
  }
  if (candidate.contains("graph.tau")) config["graph"]["tau_from"] = "value";
  config.erase("tune");
  return config;
}

void count_candidates(Json& resolved, const Locator& locate, Problems& problems) {
  refuse_twins(resolved, locate, problems);
  const std::uint64_t all = grid_size(resolved);
  if (all > most_candidates) {
    problems.add({.what = "\"tune\" has too many combinations",
                  .where = locate("tune"),
                  .expected = "at most " + std::to_string(most_candidates),
                  .found = {},
                  .fix = "take values away"});
  }
  Json& trials = resolved["trials"];
  if (trials.get<std::uint64_t>() >= all) trials = 0;
  resolved["candidates"] = tune_candidates(resolved).size();
}

}  // namespace espalier
