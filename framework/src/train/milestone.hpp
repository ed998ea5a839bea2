// What is left of a task that is done, on disk, until the trial is.
#pragma once

#include "train/training.hpp"
#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <filesystem>
#include <optional>
#include <spdlog/fwd.h>
#include <string>
#include <vector>

namespace espalier {

struct Milestone {
  Progress progress;                          // of its training
  std::vector<Parameters::Entry> parameters;  // of its best epoch
  std::vector<Parameters::Entry> fisher;      // at these; may be empty
  std::vector<Parameters::Entry> memory;      // of the method
  at::Tensor logits;                          // of the test samples; may be undefined
};

// `<folder>/task-<n>.safetensors`, sealed; 0 is before the first task.
class Milestones {
 public:
  Milestones(std::filesystem::path folder, std::string trial_id, spdlog::logger& log)
      : folder_(std::move(folder)), trial_id_(std::move(trial_id)), log_(log) {}

  void save(std::size_t task, const Milestone& milestone) const;
  // Of parameters and memory like these. Empty where there is none; one that is damaged or of
  // another trial is logged and removed.
  [[nodiscard]] std::optional<Milestone> load(std::size_t task,
                                              const std::vector<Parameters::Entry>& parameters,
                                              const std::vector<Parameters::Entry>& memory) const;
  // All of them.
  void remove() const;

 private:
  [[nodiscard]] std::filesystem::path file(std::size_t task) const;

  std::filesystem::path folder_;
  std::string trial_id_;
  spdlog::logger& log_;
};

}  // namespace espalier
