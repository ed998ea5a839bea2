#include "train/training.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/logsumexp.h>

#include "train/batch_scene.hpp"
#include "train/evaluation.hpp"
#include "train/index_of.hpp"
#include "train/pass.hpp"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <espalier/nn/adamw.hpp>
#include <espalier/nn/sgd.hpp>
#include <numeric>
#include <span>
#include <tuple>

namespace espalier {
namespace {

std::int64_t batches(std::int64_t samples, std::int64_t size) {
  return size == 0 ? 1 : (samples + size - 1) / size;
}

std::vector<std::int64_t> up_to(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  return numbers;
}

std::unique_ptr<Optimizer> optimizer_of(Parameters& parameters, const TrainParams& params) {
  if (params.optimizer == "sgd") {
    return std::make_unique<Sgd>(
        parameters, SgdOptions{.weight_decay = params.weight_decay, .momentum = params.momentum});
  }
  const AdamWOptions options{.weight_decay = params.weight_decay,
                             .beta1 = params.beta1,
                             .beta2 = params.beta2,
                             .eps = params.eps};
  if (params.optimizer == "adam") return std::make_unique<Adam>(parameters, options);
  return std::make_unique<AdamW>(parameters, options);
}

std::int64_t warmup_steps(const TrainParams& params, std::int64_t steps) {
  return std::llround(params.warmup * static_cast<double>(steps));
}

struct LossAndTop1 {
  double loss;
  double top1;
};

// As metrics_of() has them.
LossAndTop1 loss_and_top1(const at::Tensor& logits, const std::vector<std::int64_t>& labels) {
  const at::Tensor rows = logits.cpu().to(at::kDouble), right = index_of(labels, at::kCPU);
  const at::Tensor of_label = rows.gather(1, right.unsqueeze(1)).squeeze(1);
  return {.loss = (at::logsumexp(rows, 1) - of_label).mean().item<double>(),
          .top1 = rows.argmax(1).eq(right).to(at::kDouble).mean().item<double>()};
}

// `step` counts the updates from the start of training, that whose loss this is included.
void require_finite_loss(double loss, std::int64_t epoch, std::int64_t step,
                         const std::string& of) {
  if (std::isfinite(loss)) return;
  throw Error({.what = "the " + of + " loss is not finite in epoch " + std::to_string(epoch) +
                       ", step " + std::to_string(step),
               .where = {},
               .expected = "a finite number",
               .found = std::isnan(loss) ? "NaN" : "infinity",
               .fix = "lower train.lr, or set train.clip_norm"});
}

}  // namespace

Training::Training(Task task, const TrainParams& params, std::int64_t seed)
    : task_(std::move(task)),
      params_(params),
      seed_(seed),
      val_(task_.protocol.scenes(task_.val.samples)),
      steps_per_epoch_(batches(std::ssize(task_.train.samples), params.batch_size)),
      schedule_(params.schedule, params.lr, params.epochs * steps_per_epoch_,
                warmup_steps(params, params.epochs * steps_per_epoch_)),
      optimizer_(optimizer_of(task_.parameters, params)) {}

bool Training::finished() const {
  const bool trains = !task_.parameters.entries().empty();
  if (progress_.epoch >= (trains ? params_.epochs : 0)) return true;
  if (params_.patience == 0 || takes_last()) return false;
  return progress_.epoch - progress_.best_epoch >= params_.patience;
}

bool Training::takes_last() const { return params_.select == "last" || task_.val.samples.empty(); }

void Training::next() {
  const auto start = std::chrono::steady_clock::now();
  const double before = progress_.seconds;
  ++progress_.epoch;
  if (progress_.epoch > 0) {
    refresh_graph();
    update_all();
  }
  evaluate();
  if (finished()) prepared_.reset();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  progress_.seconds = before + spent.count();
  for (EpochMetrics& row : progress_.metrics) {
    if (row.epoch == progress_.epoch) row.wall_s = progress_.seconds;
  }
}

std::span<const EpochMetrics> Training::last_metrics() const {
  const auto first =
      std::find_if(progress_.metrics.begin(), progress_.metrics.end(),
                   [this](const EpochMetrics& row) { return row.epoch == progress_.epoch; });
  return {first, progress_.metrics.end()};
}

bool Training::refreshes_after(std::int64_t epoch) const {
  const std::int64_t every = task_.refresh.every;
  return every != 0 && epoch != 0 && epoch % every == 0;
}

void Training::refresh_graph() {
  if (refreshes_after(progress_.epoch - 1)) use_graph_of(task_.parameters.snapshot());
}

void Training::use_graph_of(std::vector<Parameters::Entry> parameters) {
  graph_of_ = std::move(parameters);
  task_.refresh.rebuild(graph_of_);
  val_ = task_.protocol.scenes(task_.val.samples);
}

std::vector<std::int64_t> Training::order_of(std::int64_t epoch) const {
  std::vector<std::int64_t> order = up_to(std::ssize(task_.train.samples));
  if (steps_per_epoch_ > 1) {
    Random(seed_, "order:" + std::to_string(epoch)).shuffle(std::span(order));
  }
  return order;
}

std::vector<std::int64_t> Training::batch_of(const std::vector<std::int64_t>& order,
                                             std::int64_t step) const {
  const std::int64_t size = params_.batch_size == 0 ? std::ssize(order) : params_.batch_size;
  const auto first = order.begin() + step * size;
  return {first, first + std::min(size, order.end() - first)};
}

void Training::update_all() {
  const std::vector<std::int64_t> order = order_of(progress_.epoch);
  draw_views();
  for (std::int64_t step = 0; step < steps_per_epoch_ && !order.empty(); ++step) {
    update(batch_of(order, step), step);
  }
}

// One view of each training picture for this epoch.
void Training::draw_views() {
  if (params_.views == 0) return;
  Random random(seed_, "views:" + std::to_string(progress_.epoch));
  for (const std::size_t sample : task_.train.samples) {
    view_of_[sample] =
        1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(params_.views)));
  }
}

std::vector<Look> Training::looks_at(std::span<const std::size_t> samples) const {
  std::vector<Look> looks = plain_looks(samples);
  for (Look& look : looks) {
    if (const auto view = view_of_.find(look.sample); view != view_of_.end()) {
      look.view = view->second;
    }
  }
  return looks;
}

// Masks are drawn by the number of a node among those of the training scene.
std::vector<std::uint64_t> Training::node_numbers(const std::vector<std::int64_t>& batch) const {
  const Scene& all = task_.protocol.training();
  const std::int64_t views = task_.network.fusion().views();
  std::vector<std::uint64_t> numbers;
  if (all.graph.edges() > 0) {
    numbers.resize(static_cast<std::size_t>(all.graph.targets));
    std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
    return numbers;
  }
  for (std::int64_t v = 0; v < views; ++v) {
    for (const std::int64_t i : batch) {
      numbers.push_back(static_cast<std::uint64_t>(v * std::ssize(all.samples) + i));
    }
  }
  return numbers;
}

// In a mini-batch on a graph the neighbours stand in with what was last known of them.
std::unique_ptr<Forward> Training::forward(const std::vector<std::int64_t>& batch,
                                           std::int64_t epoch, std::int64_t step) {
  const std::string stream = "dropout:" + std::to_string(epoch) + ":" + std::to_string(step);
  Scene scene =
      batch_scene(task_.protocol, task_.train.samples, task_.network.fusion().views(), batch);
  const std::vector<Look> looks = looks_at(scene.samples);
  const std::vector<std::int64_t> fresh =
      params_.batch_size > 0 ? scene.asked : up_to(std::ssize(looks));
  return std::make_unique<Forward>(task_.network, task_.sources, bank_, std::move(scene), looks,
                                   fresh, node_numbers(batch), stream_seed(seed_, stream));
}

void Training::update(const std::vector<std::int64_t>& batch, std::int64_t step) {
  std::vector<std::int64_t> targets;
  for (const std::int64_t i : batch) {
    targets.push_back(task_.classes.column(task_.train.labels[static_cast<std::size_t>(i)]));
  }
  const std::unique_ptr<Forward> now =
      prepared_ ? std::move(prepared_) : forward(batch, progress_.epoch, step);
  progress_.forward += now->cost();
  CostMeter meter;
  const at::Tensor asked = now->asked();
  const at::Device device = asked.device();
  at::Tensor loss = at::cross_entropy_loss(task_.classes.of(asked), index_of(targets, device), {},
                                           at::Reduction::Mean, -100, params_.label_smoothing);
  if (task_.penalty != nullptr) loss = loss + (*task_.penalty)(task_.parameters);
  loss = task_.method.penalised(loss);
  require_finite_loss(loss.item<double>(), progress_.epoch, optimizer_->steps() + 1, "training");
  meter.add_to(progress_.forward, device);
  loss.backward();
  now->backward();
  meter.add_to(progress_.backward, device);
  if (params_.clip_norm > 0) optimizer_->clip(params_.clip_norm);
  lr_ = schedule_.rate(optimizer_->steps());
  optimizer_->step(lr_, [this] {
    task_.method.updated(optimizer_->steps(), params_.epochs * steps_per_epoch_);
  });
}

double Training::add_metrics(const std::string& split, const at::Tensor& logits,
                             const std::vector<std::int64_t>& labels) {
  const auto [loss, top1] = loss_and_top1(task_.classes.of(logits), task_.classes.columns(labels));
  require_finite_loss(loss, progress_.epoch, optimizer_->steps(), split);
  progress_.metrics.push_back({.epoch = static_cast<std::int32_t>(progress_.epoch),
                               .step = optimizer_->steps(),
                               .split = split,
                               .loss = loss,
                               .top1 = top1,
                               .lr = lr_,
                               .wall_s = missing});
  return top1;
}

// Whether the next update begins with what this evaluation asks as well, so that both take these
// samples through the network once.
bool Training::begins_as_it_ends() const {
  const Scene& all = task_.protocol.training();
  const bool goes_on = progress_.epoch < params_.epochs && !task_.parameters.entries().empty() &&
                       !refreshes_after(progress_.epoch);
  const bool all_of_them =
      all.graph.edges() > 0 ? params_.batch_size == 0 : steps_per_epoch_ == 1 && knows_no_edges();
  return goes_on && !draws_ && params_.views == 0 && !task_.train.samples.empty() &&
         (all_of_them || answers_each_alone());
}

bool Training::knows_no_edges() const {
  const Scene& all = task_.protocol.training();
  return all.graph.edges() == 0 && all.samples == task_.train.samples;
}

// Nobody asks for the training scene as a whole then, and any part of it is right by itself.
bool Training::answers_each_alone() const {
  const auto alone = [](const Scene& scene) {
    return scene.standing == Standing::apart && scene.graph.edges() == 0 &&
           scene.samples.size() == scene.asked.size();
  };
  return knows_no_edges() && std::ranges::all_of(val_, alone) &&
         task_.network.keeps_samples_apart();
}

void Training::prepare() {
  if (!begins_as_it_ends()) return;
  first_ = batch_of(order_of(progress_.epoch + 1), 0);
  prepared_ = forward(first_, progress_.epoch + 1, 0);
  draws_ = prepared_->drew();
  if (draws_) prepared_.reset();
}

at::Tensor Training::training_logits(Evaluation& evaluation) const {
  const std::int64_t count = std::ssize(task_.train.samples);
  if (!prepared_) return evaluation.training();
  if (std::ssize(first_) == count) {
    evaluation.know(prepared_->said());
    return evaluation.training();
  }
  std::vector<bool> is_known(task_.train.samples.size());
  for (const std::int64_t place : first_) is_known[static_cast<std::size_t>(place)] = true;
  std::vector<std::int64_t> others = up_to(count);
  std::erase_if(others, [&](std::int64_t i) { return is_known[static_cast<std::size_t>(i)]; });
  Scene rest =
      batch_scene(task_.protocol, task_.train.samples, task_.network.fusion().views(), others);
  rest.queries = others;
  at::Tensor logits = evaluation.answers_together(std::span(&rest, 1), count);
  return logits.index_copy_(0, index_of(first_, at::kCPU), prepared_->asked().detach().cpu());
}

void Training::evaluate() {
  const bool fills_bank = params_.batch_size > 0 && task_.protocol.training().graph.edges() > 0;
  const bool at_start = progress_.epoch == 0 && task_.start != nullptr && !fills_bank;
  Evaluation evaluation(task_.network, at_start ? *task_.start : task_.sources, task_.protocol,
                        bank_);
  prepare();
  if (!task_.train.samples.empty()) {
    const at::Tensor logits = at_start ? evaluation.training() : training_logits(evaluation);
    add_metrics("train", logits, task_.train.labels);
  }
  double top1 = missing;
  if (!task_.val.samples.empty()) {
    const at::Tensor val = evaluation.answers_together(val_, std::ssize(task_.val.samples));
    top1 = add_metrics("val", val, task_.val.labels);
  }
  if (!takes_last() && top1 <= progress_.best_top1) return;
  progress_.best_top1 = top1;
  progress_.best_epoch = progress_.epoch;
  best_ = task_.parameters.snapshot();
  best_graph_of_ = graph_of_;
}

void Training::resume(Progress progress, std::vector<Parameters::Entry> best,
                      const std::vector<Parameters::Entry>& moments, std::int64_t steps) {
  progress_ = std::move(progress);
  best_ = std::move(best);
  optimizer_->restore(moments, steps);
}

void Training::resume_graphs(std::vector<Parameters::Entry> now,
                             std::vector<Parameters::Entry> best) {
  if (!now.empty()) use_graph_of(std::move(now));
  best_graph_of_ = std::move(best);
  // The bank holds what the last evaluation left: rows that are computed beside others may differ
  // in their last bits.
  if (params_.batch_size == 0 || task_.train.samples.empty()) return;
  std::ignore = Evaluation(task_.network, task_.sources, task_.protocol, bank_).training();
}

}  // namespace espalier
