#include "train/evaluation.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include "train/index_of.hpp"

namespace espalier {
namespace {

void keep(RowBank& bank, const FeatureSource* source, std::span<const std::size_t> samples,
          const at::Tensor& rows) {
  if (source != nullptr && source->trained()) bank.put(samples, rows);
}

}  // namespace

const Network::Support& Evaluation::support() {
  if (!support_) {
    const Values values = values_of(sources_, training_.samples, {});
    keep(bank_.images, sources_.images.get(), training_.samples, values.images);
    keep(bank_.texts, sources_.texts.get(), training_.samples, values.texts);
    support_ = network_.support(training_.graph, values);
  }
  return *support_;
}

at::Tensor Evaluation::training() {
  const c10::AutoGradMode no_grad(false);
  const at::Tensor& logits = support().scores.logits;
  return logits.index_select(0, index_of(training_.asked, logits.device()));
}

Scores Evaluation::scores(const Scene& scene) {
  if (scene.standing == Standing::inside) return support().scores;
  const Values values = values_of(sources_, scene.samples, {});
  if (scene.standing == Standing::attached) {
    return network_.attached(support(), scene.graph, values);
  }
  return network_.scores(scene.graph, values, {});
}

at::Tensor Evaluation::gathered(std::span<const Scene> scenes, std::int64_t queries,
                                at::Tensor Scores::*part) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor all;
  for (const Scene& scene : scenes) {
    const at::Tensor rows = scores(scene).*part;
    const at::Tensor asked = rows.index_select(0, index_of(scene.asked, rows.device())).cpu();
    if (!all.defined()) all = at::zeros({queries, asked.size(1)}, at::kFloat);
    all.index_copy_(0, index_of(scene.queries, at::kCPU), asked);
  }
  return all.defined() ? all : at::zeros({queries, network_.classes()}, at::kFloat);
}

at::Tensor Evaluation::answers(std::span<const Scene> scenes, std::int64_t queries) {
  return gathered(scenes, queries, &Scores::logits);
}

JudgedFeatures Evaluation::judged(std::span<const Scene> scenes,
                                  const std::vector<std::int64_t>& labels) {
  return {.features = gathered(scenes, std::ssize(labels), &Scores::features),
          .logits = gathered(scenes, std::ssize(labels), &Scores::head),
          .labels = index_of(labels, at::kCPU)};
}

}  // namespace espalier
