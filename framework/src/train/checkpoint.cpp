#include "train/checkpoint.hpp"

#include <spdlog/logger.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/nn/safetensors_tensor.hpp>

#include "train/checkpoint_internal.hpp"

namespace espalier {
namespace {

Json or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
double or_missing(const Json& value) { return value.is_null() ? missing : value.get<double>(); }

Cost cost_from(const Json& json) { return {.seconds = json.at(0), .flops = json.at(1)}; }

Progress progress_from(const Json& json) {
  Progress progress{.epoch = json.at("epoch"),
                    .best_epoch = json.at("best_epoch"),
                    .best_top1 = or_missing(json.at("best_top1")),
                    .seconds = json.at("seconds"),
                    .forward = cost_from(json.at("forward")),
                    .backward = cost_from(json.at("backward")),
                    .metrics = {}};
  for (const Json& m : json.at("metrics")) {
    progress.metrics.push_back({.epoch = m.at(0),
                                .step = m.at(1),
                                .split = m.at(2),
                                .loss = or_missing(m.at(3)),
                                .top1 = or_missing(m.at(4)),
                                .lr = or_missing(m.at(5)),
                                .wall_s = or_missing(m.at(6))});
  }
  return progress;
}

}  // namespace

Json to_json(const Progress& progress) {
  Json rows = Json::array();
  for (const EpochMetrics& m : progress.metrics) {
    rows.push_back({m.epoch, m.step, m.split, or_null(m.loss), or_null(m.top1), or_null(m.lr),
                    or_null(m.wall_s)});
  }
  return {{"epoch", progress.epoch},
          {"best_epoch", progress.best_epoch},
          {"best_top1", or_null(progress.best_top1)},
          {"seconds", progress.seconds},
          {"forward", {progress.forward.seconds, progress.forward.flops}},
          {"backward", {progress.backward.seconds, progress.backward.flops}},
          {"metrics", rows}};
}

std::vector<Parameters::Entry> renamed(const std::vector<Parameters::Entry>& entries,
                                       const std::string& prefix) {
  std::vector<Parameters::Entry> out;
  for (const auto& [name, tensor] : entries) out.emplace_back(prefix + name, tensor);
  return out;
}

std::vector<Parameters::Entry> read_like(const SafeTensors& file, const std::string& prefix,
                                         const std::vector<Parameters::Entry>& like) {
  std::vector<Parameters::Entry> out;
  for (const auto& [name, tensor] : like) {
    const at::Tensor stored = to_tensor(file, prefix + name);
    if (stored.sizes() != tensor.sizes() || stored.scalar_type() != tensor.scalar_type()) {
      throw Error({.what = "a tensor of the checkpoint has another shape: " + prefix + name,
                   .where = file.path().string(),
                   .expected = {},
                   .found = {},
                   .fix = {}});
    }
    out.emplace_back(name, stored.clone());
  }
  return out;
}

CheckpointState parse_checkpoint_state(std::string_view text, const std::string& origin,
                                       const std::string& trial_id) try {
  const Json state = parse_json(text, origin);
  if (state.at("format") == checkpoint_format && state.at("trial_id") == trial_id) {
    return {state.at("steps"), progress_from(state.at("progress")), state.at("graph"),
            state.at("best_graph")};
  }
  throw Error({.what = "the checkpoint is of another trial or format",
               .where = origin,
               .expected = {},
               .found = {},
               .fix = {}});
} catch (const Json::exception& error) {
  throw Error({.what = "the checkpoint lacks a part",
               .where = origin,
               .expected = {},
               .found = error.what(),
               .fix = {}});
}

Checkpoint::Checkpoint(const std::filesystem::path& folder, std::string trial_id,
                       spdlog::logger& log)
    : file_(folder / "checkpoint.safetensors"), trial_id_(std::move(trial_id)), log_(log) {}

void Checkpoint::save(const Training& training, const Parameters& parameters) const {
  std::vector<Parameters::Entry> tensors = renamed(parameters.snapshot(), "now.");
  for (const auto& list :
       {renamed(training.best(), "best."), training.optimizer().snapshot(),
        renamed(training.method().memory(), "method."), renamed(training.graph_of(), "graph."),
        renamed(training.best_graph_of(), "best_graph.")}) {
    tensors.insert(tensors.end(), list.begin(), list.end());
  }
  const Json state = {
      {"format", checkpoint_format},           {"trial_id", trial_id_},
      {"steps", training.optimizer().steps()}, {"progress", to_json(training.progress())},
      {"graph", !training.graph_of().empty()}, {"best_graph", !training.best_graph_of().empty()}};
  write_sealed_tensors(file_, tensors, {{"state", state.dump()}});
}

bool Checkpoint::load(Training& training, Parameters& parameters) const {
  if (!is_there(file_)) return false;
  try {
    const SafeTensors file = open_sealed(file_);
    CheckpointState state =
        parse_checkpoint_state(file.metadata().at("state"), file_.string(), trial_id_);
    const std::vector<Parameters::Entry> like = parameters.entries();
    auto best = read_like(file, "best.", like);
    const auto moments = read_like(file, "", training.optimizer().snapshot());
    const auto memory = training.method().memory();
    const auto remembered = read_like(file, "method.", memory);
    parameters.restore(read_like(file, "now.", like));
    for (std::size_t i = 0; i < memory.size(); ++i) {
      at::Tensor(memory[i].second).copy_(remembered[i].second);
    }
    training.resume(std::move(state.progress), std::move(best), moments, state.steps);
    using Entries = std::vector<Parameters::Entry>;
    training.resume_graphs(state.graph ? read_like(file, "graph.", like) : Entries(),
                           state.best_graph ? read_like(file, "best_graph.", like) : Entries());
    return true;
  } catch (const std::exception& error) {
    log_.warn("the checkpoint cannot be used, the trial starts anew: {}", error.what());
    remove();
    return false;
  }
}

void Checkpoint::remove() const {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

}  // namespace espalier
