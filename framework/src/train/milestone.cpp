#include "train/milestone.hpp"

#include <spdlog/logger.h>

#include "train/checkpoint.hpp"
#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>

#include "train/checkpoint_internal.hpp"

namespace espalier {

std::filesystem::path Milestones::file(std::size_t task) const {
  return folder_ / ("task-" + std::to_string(task) + ".safetensors");
}

void Milestones::save(std::size_t task, const Milestone& milestone) const {
  std::vector<Parameters::Entry> tensors = renamed(milestone.parameters, "now.");
  for (const auto& list :
       {renamed(milestone.fisher, "fisher."), renamed(milestone.memory, "method.")}) {
    tensors.insert(tensors.end(), list.begin(), list.end());
  }
  if (milestone.logits.defined()) tensors.emplace_back("logits", milestone.logits);
  const Json state = {{"format", checkpoint_format},
                      {"trial_id", trial_id_},
                      {"steps", task},
                      {"progress", to_json(milestone.progress)},
                      {"graph", false},
                      {"best_graph", false}};
  write_sealed_tensors(file(task), tensors, {{"state", state.dump()}});
}

std::optional<Milestone> Milestones::load(std::size_t task,
                                          const std::vector<Parameters::Entry>& parameters,
                                          const std::vector<Parameters::Entry>& memory) const {
  if (!is_there(file(task))) return std::nullopt;
  try {
    const SafeTensors stored = open_sealed(file(task));
    CheckpointState state =
        parse_checkpoint_state(stored.metadata().at("state"), file(task).string(), trial_id_);
    Milestone milestone{.progress = std::move(state.progress),
                        .parameters = read_like(stored, "now.", parameters),
                        .fisher = {},
                        .memory = read_like(stored, "method.", memory),
                        .logits = {}};
    const std::string first = parameters.empty() ? "" : "fisher." + parameters.front().first;
    if (stored.find(first) != nullptr) milestone.fisher = read_like(stored, "fisher.", parameters);
    if (stored.find("logits") != nullptr) milestone.logits = to_tensor(stored, "logits").clone();
    return milestone;
  } catch (const std::exception& error) {
    log_.warn("what a task left cannot be used, it is trained anew: {}", error.what());
    std::error_code ignored;
    std::filesystem::remove(file(task), ignored);
    return std::nullopt;
  }
}

void Milestones::remove() const {
  std::error_code ignored;
  for (std::size_t task = 0; std::filesystem::remove(file(task), ignored) || task == 0; ++task) {
  }
}

}  // namespace espalier
