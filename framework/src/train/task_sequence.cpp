#include "train/task_sequence.hpp"

#include "train/asked_first.hpp"
#include "train/evaluation.hpp"
#include "train/fisher.hpp"
#include <chrono>
#include <espalier/core/random.hpp>
#include <utility>

namespace espalier {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr double seconds_between_checkpoints = 30;

double seconds_from(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

FisherLabels labels_of(const std::string& name) {
  if (name == "sampled") return FisherLabels::sampled;
  return name == "empirical" ? FisherLabels::empirical : FisherLabels::expected;
}

void append(LabelledSamples& to, const LabelledSamples& more) {
  to.samples.insert(to.samples.end(), more.samples.begin(), more.samples.end());
  to.labels.insert(to.labels.end(), more.labels.begin(), more.labels.end());
}

}  // namespace

TaskSequence::TaskSequence(Learner learner, std::size_t classes)
    : learner_(std::move(learner)),
      parts_(static_cast<std::int64_t>(classes), learner_.recipe.tasks, learner_.setting.seed()),
      milestones_(learner_.setting.request().folder, learner_.setting.request().trial_id,
                  learner_.setting.log()),
      consolidation_(learner_.recipe.train.ewc),
      trail_{.parts = parts_, .told = learner_.recipe.told, .logits = {}} {}

bool TaskSequence::run() {
  for (std::size_t part = 0; part < parts_.count(); ++part) {
    if (!learn(part)) return false;
  }
  return true;
}

bool TaskSequence::learn(std::size_t part) {
  make_protocol_of(part);
  if (part == 0 && learner_.recipe.holds_to_zero_shot() && !anchor_start()) return false;
  if (auto done =
          milestones_.load(part + 1, learner_.parameters.entries(), learner_.method.memory())) {
    accept(part, *std::move(done));
    return true;
  }
  const Task of_part = task(part);
  Training training(of_part, learner_.recipe.train, seed_of(part));
  const Checkpoint checkpoint = checkpoint_of(part);
  checkpoint.load(training, learner_.parameters);
  learner_.setting.begin("train");
  if (!train(training, checkpoint)) return false;
  learner_.parameters.restore(training.best());
  optimizer_bytes_ = training.optimizer().bytes();
  if (follows_training()) rebuild(training.best_graph_of());
  Milestone left{.progress = training.progress(),
                 .parameters = training.best(),
                 .fisher = {},
                 .memory = learner_.method.memory(),
                 .logits = {}};
  if (part + 1 < parts_.count()) {
    if (learner_.recipe.holds_to_tasks()) {
      auto information = fisher(of_part);
      if (!information) return checkpoint.save(training, learner_.parameters), false;
      left.fisher = *std::move(information);
    }
    left.logits = test_logits();
    milestones_.save(part + 1, left);
    checkpoint.remove();
  }
  accept(part, std::move(left));
  return true;
}

// False: stopped, with a checkpoint on disk.
bool TaskSequence::train(Training& training, const Checkpoint& checkpoint) {
  SteadyClock::time_point saved = SteadyClock::now();
  const auto& tell = learner_.setting.hooks().epoch;
  while (!training.finished()) {
    training.next();
    for (EpochMetrics row : training.last_metrics()) {
      row.epoch += static_cast<std::int32_t>(progress_.epoch + 1);
      row.step += steps_;
      row.wall_s += progress_.seconds;
      if (tell) tell(row);
    }
    const bool stop = learner_.setting.stopped() && !training.finished();
    if (stop || seconds_from(saved) > seconds_between_checkpoints) {
      checkpoint.save(training, learner_.parameters);
      saved = SteadyClock::now();
    }
    if (stop) return false;
  }
  if (learner_.keeps_training) checkpoint.save(training, learner_.parameters);
  return true;
}

// The start is a source task of its own. False: stopped.
bool TaskSequence::anchor_start() {
  const auto& parameters = learner_.parameters;
  auto start = milestones_.load(0, parameters.entries(), {});
  if (!start) {
    auto information = fisher(task(0));
    if (!information) return false;
    start = {.progress = {},
             .parameters = parameters.snapshot(),
             .fisher = *std::move(information),
             .memory = {},
             .logits = {}};
    milestones_.save(0, *start);
  }
  consolidation_.add({"zero_shot", std::move(start->parameters), std::move(start->fisher)});
  return true;
}

std::optional<std::vector<Parameters::Entry>> TaskSequence::fisher(const Task& of) const {
  const SteadyClock::time_point start = SteadyClock::now();
  const TrialSetting& setting = learner_.setting;
  setting.begin("fisher");
  const FisherOptions options{.labels = labels_of(learner_.recipe.train.ewc_fisher),
                              .samples = learner_.recipe.train.ewc_samples,
                              .seed = setting.seed()};
  auto information = fisher_information(of, options, [&](std::int64_t done, std::int64_t all) {
    if (const auto& progress = setting.hooks().progress) {
      progress("fisher", static_cast<std::size_t>(done), static_cast<std::size_t>(all));
    }
    return !setting.stopped();
  });
  learner_.time("fisher", seconds_from(start));
  return information;
}

LabelledSamples TaskSequence::standing(std::size_t part) const {
  LabelledSamples all = parts_.of_part(learner_.split.train, part);
  if (learner_.recipe.graph == "none") return all;
  for (std::size_t earlier = 0; earlier < part; ++earlier) {
    append(all, parts_.of_part(learner_.split.train, earlier));
  }
  return all;
}

GraphSetting TaskSequence::graph_of(const LabelledSamples& train) const {
  return {learner_.setting, learner_.recipe, learner_.split,  train,
          learner_.photos,  learner_.frozen, learner_.fusion, learner_.shared_space};
}

void TaskSequence::make_protocol_of(std::size_t part) {
  const SteadyClock::time_point start = SteadyClock::now();
  learner_.setting.begin("graph");
  standing_ = parts_.count() == 1 ? learner_.split.train : standing(part);
  const std::size_t asked = parts_.of_part(learner_.split.train, part).samples.size();
  protocol_ = asked_first(make_protocol(graph()), asked);
  learner_.time("graph", seconds_from(start));
}

void TaskSequence::rebuild(const std::vector<Parameters::Entry>& under) {
  protocol_->rebuild(under.empty()
                         ? frozen_nodes(graph())
                         : nodes_under(graph(), learner_.sources, under, learner_.parameters));
}

bool TaskSequence::follows_training() const { return learner_.recipe.graph_refresh > 0; }

Task TaskSequence::task(std::size_t part) {
  Task task{.network = learner_.network,
            .parameters = learner_.parameters,
            .sources = learner_.sources,
            .protocol = *protocol_,
            .train = learner_.split.train,
            .val = learner_.split.val,
            .penalty = consolidation_.anchors().empty() ? nullptr : &consolidation_,
            .method = learner_.method};
  if (parts_.count() > 1) {
    task.train = parts_.of_part(learner_.split.train, part);
    task.val = parts_.of_part(learner_.split.val, part);
    task.classes = ClassColumns(trail_.told ? parts_.labels(part) : parts_.labels_until(part));
  }
  if (part == 0) task.start = learner_.start;
  if (follows_training()) {
    task.refresh = {.every = learner_.recipe.graph_refresh,
                    .rebuild = [this](const auto& under) { rebuild(under); }};
  }
  return task;
}

std::int64_t TaskSequence::seed_of(std::size_t part) const {
  const std::int64_t seed = learner_.setting.seed();
  if (part == 0) return seed;
  return static_cast<std::int64_t>(stream_seed(seed, "task:" + std::to_string(part)) >> 1);
}

Checkpoint TaskSequence::checkpoint_of(std::size_t part) const {
  const TrialRequest& request = learner_.setting.request();
  const std::string id = part == 0 ? "" : ":" + std::to_string(part);
  return {request.folder, request.trial_id + id, learner_.setting.log()};
}

at::Tensor TaskSequence::test_logits() const {
  const std::vector<std::size_t>& samples = learner_.split.test.samples;
  StateBank bank;
  Evaluation evaluation(learner_.network, learner_.sources, *protocol_, bank);
  return evaluation.answers(protocol_->scenes(samples), std::ssize(samples));
}

at::Tensor TaskSequence::heard(const at::Tensor& logits,
                               const std::vector<std::int64_t>& labels) const {
  return trail_.told ? parts_.told(logits, labels) : logits;
}

void TaskSequence::accept(std::size_t part, Milestone left) {
  learner_.parameters.restore(left.parameters);
  const auto memory = learner_.method.memory();
  for (std::size_t i = 0; i < memory.size(); ++i) {
    at::Tensor(memory[i].second).copy_(left.memory[i].second);
  }
  if (left.progress.epoch > 0 && left.progress.best_epoch == 0) {
    learner_.setting.warn(
        "no epoch was better on the validation images than the untrained start, which is "
        "what is tested: raise train.lr or train.epochs, or train.select=last");
  }
  const std::int64_t before = progress_.epoch + 1;
  for (EpochMetrics row : left.progress.metrics) {
    row.epoch += static_cast<std::int32_t>(before);
    row.step += steps_;
    row.wall_s += progress_.seconds;
    progress_.metrics.push_back(std::move(row));
  }
  progress_.epoch = before + left.progress.epoch;
  progress_.best_epoch = before + left.progress.best_epoch;
  progress_.seconds += left.progress.seconds;
  progress_.forward += left.progress.forward;
  progress_.backward += left.progress.backward;
  if (!progress_.metrics.empty()) steps_ = progress_.metrics.back().step;
  if (left.logits.defined()) trail_.logits.push_back(std::move(left.logits));
  if (left.fisher.empty()) return;
  consolidation_.add(
      {"task_" + std::to_string(part + 1), std::move(left.parameters), std::move(left.fisher)});
}

void TaskSequence::remove_files() const {
  checkpoint_of(0).remove();
  milestones_.remove();
}

}  // namespace espalier
