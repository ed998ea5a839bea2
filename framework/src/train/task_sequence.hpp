// What a trial trains, task after task: one, unless protocol.tasks divides the classes.
#pragma once

#include "train/checkpoint.hpp"
#include "train/class_parts.hpp"
#include "train/consolidation.hpp"
#include "train/milestone.hpp"
#include "train/test_set.hpp"
#include "train/trial_graph.hpp"
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace espalier {

// Of a trial, ready to be trained.
struct Learner {
  const TrialSetting& setting;
  const Recipe& recipe;
  const DataSplit& split;
  const UnlabelledDataset& photos;
  const TrialFeatures& frozen;
  const Sources& sources;  // as the parameters make them
  const Sources* start;    // that give before the first update what these do; null: none
  const Fusion& fusion;
  bool shared_space;  // features of images and texts can be compared
  Network& network;
  Parameters& parameters;
  MethodInTraining method;
  bool keeps_training = false;  // the last checkpoint stays, for whoever goes on from it
  std::function<void(std::string_view stage, double seconds)> time;  // what a stage took
};

// A task is a part of the classes: its training and validation images, and those alone, are learned
// from and chosen by, with the classes of all tasks so far to choose among, or with its own where
// protocol.scenario tells which task it is (van de Ven and Tolias 2019). Samples of earlier tasks
// stay in the graph as neighbours, their labels do not. With train.ewc the Fisher information after
// each task holds the parameters to what they were, or that of the start does.
class TaskSequence {
 public:
  // What the learner refers to must outlive it. Throws Error where the classes are too few.
  TaskSequence(Learner learner, std::size_t classes);

  // Goes on from what is on disk. False: stopped, with all that going on needs on disk.
  bool run();

  // Of the last task, with the graph of its best epoch; the parameters are those of that epoch.
  [[nodiscard]] const Protocol& protocol() const { return *protocol_; }
  [[nodiscard]] GraphSetting graph() const { return graph_of(standing_); }
  // Of all tasks: epochs, steps and seconds are counted on. An evaluation before the first update
  // of a later task counts as an epoch.
  [[nodiscard]] const Progress& progress() const noexcept { return progress_; }
  // Of the last task.
  [[nodiscard]] std::int64_t optimizer_bytes() const noexcept { return optimizer_bytes_; }
  [[nodiscard]] const ClassParts& parts() const noexcept { return parts_; }
  [[nodiscard]] const TaskTrail& trail() const noexcept { return trail_; }
  [[nodiscard]] const Consolidation& consolidation() const noexcept { return consolidation_; }
  // Of logits of samples whose labels may be known.
  [[nodiscard]] at::Tensor heard(const at::Tensor& logits,
                                 const std::vector<std::int64_t>& labels) const;
  // Removes what it left on disk to go on from.
  void remove_files() const;

 private:
  bool learn(std::size_t part);
  bool train(Training& training, const Checkpoint& checkpoint);
  bool anchor_start();
  [[nodiscard]] std::optional<std::vector<Parameters::Entry>> fisher(const Task& task) const;
  [[nodiscard]] LabelledSamples standing(std::size_t part) const;
  [[nodiscard]] GraphSetting graph_of(const LabelledSamples& train) const;
  void make_protocol_of(std::size_t part);
  void rebuild(const std::vector<Parameters::Entry>& under);
  [[nodiscard]] Task task(std::size_t part);
  [[nodiscard]] std::int64_t seed_of(std::size_t part) const;
  [[nodiscard]] Checkpoint checkpoint_of(std::size_t part) const;
  [[nodiscard]] bool follows_training() const;
  [[nodiscard]] at::Tensor test_logits() const;
  void accept(std::size_t part, Milestone milestone);

  Learner learner_;
  ClassParts parts_;
  Milestones milestones_;
  Consolidation consolidation_;
  TaskTrail trail_;
  LabelledSamples standing_;
  std::unique_ptr<Protocol> protocol_;
  Progress progress_;
  std::int64_t steps_ = 0;
  std::int64_t optimizer_bytes_ = 0;
};

}  // namespace espalier
