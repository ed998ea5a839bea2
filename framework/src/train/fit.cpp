#include "train/fit.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>

#include "train/test_set.hpp"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <numeric>
#include <span>

namespace espalier {
namespace {

std::int64_t batches(std::int64_t samples, std::int64_t size) {
  return size == 0 ? 1 : (samples + size - 1) / size;
}

AdamWOptions options_of(const TrainParams& params) {
  return {.weight_decay = params.weight_decay,
          .beta1 = params.beta1,
          .beta2 = params.beta2,
          .eps = params.eps};
}

std::int64_t warmup_steps(const TrainParams& params, std::int64_t steps) {
  return std::llround(params.warmup * static_cast<double>(steps));
}

void require_finite_loss(double loss, std::int64_t epoch, const std::string& of) {
  if (std::isfinite(loss)) return;
  throw Error({.what = "the " + of + " loss is not finite in epoch " + std::to_string(epoch),
               .where = {},
               .expected = "a finite number",
               .found = std::isnan(loss) ? "NaN" : "infinity",
               .fix = "lower train.lr, or set train.clip_norm"});
}

at::Tensor index_of(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

}  // namespace

Training::Training(Model& model, Parameters& parameters, const GraphProtocol& protocol,
                   TrainingLabels labels, const TrainParams& params, std::int64_t seed)
    : model_(model),
      parameters_(parameters),
      protocol_(protocol),
      labels_(std::move(labels)),
      params_(params),
      seed_(seed),
      steps_per_epoch_(batches(static_cast<std::int64_t>(labels_.train.size()), params.batch_size)),
      schedule_(params.schedule, params.lr, params.epochs * steps_per_epoch_,
                warmup_steps(params, params.epochs * steps_per_epoch_)),
      optimizer_(parameters, options_of(params)) {}

bool Training::finished() const {
  if (progress_.epoch >= params_.epochs) return true;
  return params_.patience > 0 && progress_.epoch - progress_.best_epoch >= params_.patience;
}

void Training::next() {
  const auto start = std::chrono::steady_clock::now();
  const double before = progress_.seconds;
  ++progress_.epoch;
  if (progress_.epoch > 0) update_all();
  evaluate();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  progress_.seconds = before + spent.count();
  for (EpochMetrics* row : {&progress_.metrics.end()[-2], &progress_.metrics.end()[-1]}) {
    row->wall_s = progress_.seconds;
  }
}

void Training::update_all() {
  const std::string epoch = std::to_string(progress_.epoch);
  const auto count = static_cast<std::int64_t>(labels_.train.size());
  std::vector<std::int64_t> order(labels_.train.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (steps_per_epoch_ > 1) Random(seed_, "order:" + epoch).shuffle(std::span(order));
  const std::int64_t size = params_.batch_size == 0 ? count : params_.batch_size;
  for (std::int64_t first = 0; first < count; first += size) {
    const std::int64_t last = std::min(first + size, count);
    update({order.begin() + first, order.begin() + last}, first / size);
  }
}

// Without edges the other samples cannot matter and are left out. Masks are drawn by the number of
// a node among those of the training.
at::Tensor Training::training_logits(const std::vector<std::int64_t>& samples,
                                     std::uint64_t dropout) const {
  const Nodes& nodes = protocol_.nodes();
  const at::Tensor index = index_of(samples, nodes.x.device());
  const bool whole = protocol_.graph().edges() > 0;
  std::vector<std::uint64_t> ids(samples.begin(), samples.end());
  if (whole) {
    ids.resize(static_cast<std::size_t>(nodes.x.size(0)));
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  }
  const Mode mode{.training = true, .dropout = {.key = dropout, .rows = ids}};
  if (whole) return model_.logits(nodes, protocol_.graph(), mode).index_select(0, index);
  const std::int64_t count = index.numel();
  return model_.logits({.x = nodes.x.index_select(0, index)}, empty_graph(count, count), mode);
}

void Training::update(const std::vector<std::int64_t>& samples, std::int64_t step) {
  const at::Device device = protocol_.nodes().x.device();
  std::vector<std::int64_t> targets;
  for (const std::int64_t i : samples) {
    targets.push_back(labels_.train[static_cast<std::size_t>(i)]);
  }
  const std::string stream =
      "dropout:" + std::to_string(progress_.epoch) + ":" + std::to_string(step);
  const at::Tensor logits = training_logits(samples, stream_seed(seed_, stream));
  const at::Tensor loss = at::cross_entropy_loss(
      logits, index_of(targets, device), {}, at::Reduction::Mean, -100, params_.label_smoothing);
  require_finite_loss(loss.item<double>(), progress_.epoch, "training");
  loss.backward();
  if (params_.clip_norm > 0) optimizer_.clip(params_.clip_norm);
  lr_ = schedule_.rate(optimizer_.steps());
  optimizer_.step(lr_);
}

void Training::evaluate() {
  const GraphProtocol::Logits logits = protocol_.evaluate(model_);
  const auto add = [&](const char* split, const at::Tensor& of,
                       const std::vector<std::int64_t>& labels) {
    const ClassificationMetrics metrics = metrics_of(of, labels);
    require_finite_loss(metrics.loss, progress_.epoch, split);
    progress_.metrics.push_back({.epoch = static_cast<std::int32_t>(progress_.epoch),
                                 .step = optimizer_.steps(),
                                 .split = split,
                                 .loss = metrics.loss,
                                 .top1 = metrics.top1,
                                 .lr = lr_,
                                 .wall_s = missing});
    return metrics.top1;
  };
  add("train", logits.train, labels_.train);
  const double top1 = add("val", logits.val, labels_.val);
  if (top1 <= progress_.best_top1) return;
  progress_.best_top1 = top1;
  progress_.best_epoch = progress_.epoch;
  best_ = parameters_.snapshot();
}

void Training::resume(Progress progress, std::vector<Parameters::Entry> best,
                      const std::vector<Parameters::Entry>& moments, std::int64_t steps) {
  progress_ = std::move(progress);
  best_ = std::move(best);
  optimizer_.restore(moments, steps);
}

}  // namespace espalier
