#include "pretrain.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <torch/version.h>

#include <espalier/nn/adamw.hpp>
#include "train/schedule.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <future>

namespace espalier::flora_clip {
namespace {

const double largest_log_scale = std::log(100.0);

void set_autocast(bool enabled) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_enabled(at::kCPU, enabled);
#else
  at::autocast::set_cpu_enabled(enabled);
#endif
}

// Matrix products in bfloat16 while it lives, where the processor has them.
class MixedPrecision {
 public:
  MixedPrecision() { set_autocast(precision_of("auto", at::kCPU) == at::kBFloat16); }
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;
  ~MixedPrecision() {
    set_autocast(false);
    at::autocast::clear_cache();
  }
};

// Behind the end of a text comes padding, which nothing looks back at.
TokenBatch to_tokens(const Tokenizer& tokenizer, const std::vector<std::string>& sentences) {
  const TokenRows rows = tokenizer.encode_batch(sentences);
  at::Tensor ids = at::empty({rows.rows, rows.columns}, at::kLong);
  std::copy(rows.ids.begin(), rows.ids.end(), ids.data_ptr<std::int64_t>());
  return {ids, {}, {}};
}

at::Tensor contrastive_loss(const AdaptableEncoder& model, const Tokenizer& tokenizer,
                            const Batch& batch) {
  at::Tensor images;
  at::Tensor texts;
  {
    const MixedPrecision mixed;
    images = forward(*model.image(), batch.pixels).feature;
    texts = forward(*model.text(), to_tokens(tokenizer, batch.sentences)).feature;
  }
  images = unit_rows(images.to(at::kFloat));
  texts = unit_rows(texts.to(at::kFloat));
  const at::Tensor logits = images.matmul(texts.t()) * model.log_logit_scale.exp();
  const at::Tensor pairs = at::arange(logits.size(0));
  return (at::cross_entropy_loss(logits, pairs) + at::cross_entropy_loss(logits.t(), pairs)) / 2;
}

void limit_scale(const AdaptableEncoder& model) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor scale = model.log_logit_scale;
  scale.clamp_(0.0, largest_log_scale);
}

}  // namespace

void make_trainable(AdaptableEncoder& model, Parameters& parameters) {
  for (const WeightSlot& weight : model.weights()) {
    *weight.slot = parameters.add(weight.name, weight.frozen.to(at::kFloat));
  }
}

void pretrain(const AdaptableEncoder& model, const Tokenizer& tokenizer, const Examples& examples,
              const PretrainOptions& options, Parameters& parameters,
              const std::function<void(std::int64_t step, double loss)>& report) {
  AdamW optimizer(parameters, {.weight_decay = options.weight_decay, .beta2 = 0.98, .eps = 1e-6});
  const auto warmup =
      static_cast<std::int64_t>(options.warmup * static_cast<double>(options.steps));
  const Schedule schedule("cosine", options.lr, options.steps, warmup);
  const auto draw = [&](std::int64_t step) {
    return std::async(std::launch::async,
                      [&, step] { return examples.batch(options.seed, step, options.batch); });
  };
  std::future<Batch> next = draw(0);
  for (std::int64_t step = 0; step < options.steps; ++step) {
    const Batch batch = next.get();
    if (step + 1 < options.steps) next = draw(step + 1);
    const at::Tensor loss = contrastive_loss(model, tokenizer, batch);
    loss.backward();
    optimizer.clip(options.clip_norm);
    optimizer.step(schedule.rate(step));
    limit_scale(model);
    report(step + 1, loss.item<double>());
  }
}

}  // namespace espalier::flora_clip
