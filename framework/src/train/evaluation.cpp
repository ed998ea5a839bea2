#include "train/evaluation.hpp"

#include <ATen/ops/cat.h>
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

// Classes are the same for all, and may be dear.
Scores Evaluation::scores_of_one(const Scene& scene, std::int64_t place) {
  const std::size_t sample = scene.samples[static_cast<std::size_t>(place)];
  Sources own = sources_;
  own.classes = nullptr;
  own.class_count = 0;
  Values values = values_of(own, std::span(&sample, 1), {});
  if (!classes_.defined()) classes_ = values_of(sources_, std::span<const Look>(), {}).classes;
  values.classes = classes_;
  const std::int64_t views = network_.fusion().views();
  if (scene.standing == Standing::apart) {
    return network_.scores(empty_graph(views, views), values, {});
  }
  const std::int64_t nodes = training_.graph.targets;
  return network_.attached(support(), query_graph(scene.graph, place, views, nodes), values);
}

at::Tensor Evaluation::together(const Scene& scene, Part part) {
  const at::Tensor rows = scores(scene).*part;
  return rows.index_select(0, index_of(scene.asked, rows.device())).cpu();
}

at::Tensor Evaluation::each_by_itself(const Scene& scene, Part part) {
  const bool sees_others = scene.standing == Standing::inside ||
                           (scene.standing == Standing::apart && scene.graph.edges() > 0);
  if (sees_others) return together(scene, part);
  std::vector<at::Tensor> rows;
  for (const std::int64_t place : scene.asked) {
    rows.push_back((scores_of_one(scene, place).*part).cpu());
  }
  return at::cat(rows);
}

at::Tensor Evaluation::gathered(std::span<const Scene> scenes, std::int64_t queries, Part part,
                                at::Tensor (Evaluation::*asked)(const Scene&, Part)) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor all;
  for (const Scene& scene : scenes) {
    const at::Tensor rows = (this->*asked)(scene, part);
    if (!all.defined()) all = at::zeros({queries, rows.size(1)}, at::kFloat);
    all.index_copy_(0, index_of(scene.queries, at::kCPU), rows);
  }
  return all.defined() ? all : at::zeros({queries, network_.classes()}, at::kFloat);
}

at::Tensor Evaluation::answers(std::span<const Scene> scenes, std::int64_t queries) {
  return gathered(scenes, queries, &Scores::logits, &Evaluation::each_by_itself);
}

at::Tensor Evaluation::answers_together(std::span<const Scene> scenes, std::int64_t queries) {
  return gathered(scenes, queries, &Scores::logits, &Evaluation::together);
}

JudgedFeatures Evaluation::judged(std::span<const Scene> scenes,
                                  const std::vector<std::int64_t>& labels) {
  const std::int64_t count = std::ssize(labels);
  return {.features = gathered(scenes, count, &Scores::features, &Evaluation::together),
          .logits = gathered(scenes, count, &Scores::head, &Evaluation::together),
          .labels = index_of(labels, at::kCPU)};
}

}  // namespace espalier
