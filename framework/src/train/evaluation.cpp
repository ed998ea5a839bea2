#include "train/evaluation.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include "train/index_of.hpp"
#include <algorithm>
#include <espalier/nn/parallel.hpp>

namespace espalier {
namespace {

// Queries of a block. OpenBLAS multiplies eight rows alike; of 12 or 64 some have other bits.
constexpr std::int64_t full_block = 8;

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

// They are the same for all, and may be dear.
const at::Tensor& Evaluation::classes() {
  if (!classes_.defined()) classes_ = values_of(sources_, std::span<const Look>(), {}).classes;
  return classes_;
}

Values Evaluation::values_of_queries(std::span<const std::size_t> samples) {
  Sources own = sources_;
  own.classes = nullptr;
  own.class_count = 0;
  Values values = values_of(own, samples, {});
  values.classes = classes();
  values.first_class = static_cast<std::int64_t>(sources_.first_class);
  return values;
}

Scores Evaluation::one(const Scene& scene, std::int64_t place) {
  const std::size_t sample = scene.samples[static_cast<std::size_t>(place)];
  const Values values = values_of_queries(std::span(&sample, 1));
  const std::int64_t views = network_.fusion().views();
  if (scene.standing == Standing::apart) {
    return network_.scores(empty_graph(views, views), values, {});
  }
  const std::int64_t nodes = training_.graph.targets;
  return network_.attached(support(), query_graph(scene.graph, place, views, nodes), values);
}

Scores Evaluation::block(const Scene& scene, std::span<const std::int64_t> places) {
  std::vector<std::size_t> samples;
  for (const std::int64_t place : places) {
    samples.push_back(scene.samples[static_cast<std::size_t>(place)]);
  }
  const Values values = values_of_queries(samples);
  const std::int64_t views = network_.fusion().views();
  if (scene.standing == Standing::apart) {
    const std::int64_t nodes = views * std::ssize(places);
    return network_.scores(empty_graph(nodes, nodes), values, {});
  }
  const std::int64_t nodes = training_.graph.targets;
  return network_.attached(support(), query_block(scene.graph, places, views, nodes), values);
}

bool Evaluation::trained() const {
  const auto depends = [](const auto& source) { return source != nullptr && source->trained(); };
  return depends(sources_.images) || depends(sources_.texts);
}

// Whether a query has the same bits wherever it stands in a block and whoever is beside it: some
// training samples are asked in every place, so that the answer does not depend on the queries.
bool Evaluation::blocks_hold(std::int64_t size) {
  constexpr std::int64_t largest_support = 2048, tried = 32;
  const std::int64_t count = std::min(tried, std::ssize(training_.samples));
  if (!network_.has_node_rows() || trained() || count == 0) return false;
  if (training_.graph.targets > largest_support) return false;
  const std::vector<Scene> scenes =
      protocol_.scenes(std::span(training_.samples).first(static_cast<std::size_t>(count)));
  std::vector<std::int64_t> places(static_cast<std::size_t>(size), 0);
  const at::Tensor copies = block(scenes[0], places).logits;
  for (std::int64_t first = 0; first < count; first += size) {
    for (std::int64_t i = 0; i < size; ++i)
      places[static_cast<std::size_t>(i)] = (first + i) % count;
    const at::Tensor still = block(scenes[0], places).logits;
    if (first == 0 && !copies.equal(still.slice(0, 0, 1).expand_as(still))) return false;
    for (std::int64_t shift = 1; shift < size; ++shift) {
      std::rotate(places.begin(), places.begin() + 1, places.end());
      if (!block(scenes[0], places).logits.equal(still.roll(-shift, 0))) return false;
    }
  }
  return true;
}

std::int64_t Evaluation::block_size() {
  if (!block_size_) block_size_ = blocks_hold(full_block) ? full_block : 1;
  return *block_size_;
}

at::Tensor Evaluation::together(const Scene& scene, Part part) {
  const at::Tensor rows = scores(scene).*part;
  return rows.index_select(0, index_of(scene.asked, rows.device())).cpu();
}

// What they share is made before; what is left for each of them writes nothing.
at::Tensor Evaluation::one_by_one(const Scene& scene, Part part) {
  std::vector<at::Tensor> rows(scene.asked.size());
  const auto ask = [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    rows[at] = (one(scene, scene.asked[at]).*part).cpu();
  };
  if (scene.standing == Standing::attached) support();
  classes();
  if (network_.has_node_rows() && !trained()) {
    for_each_alone(std::ssize(rows), ask);
  } else {
    for (std::int64_t i = 0; i < std::ssize(rows); ++i) ask(i);
  }
  return at::cat(rows);
}

// A block that is not full is filled with its last query.
at::Tensor Evaluation::apart_from_others(const Scene& scene, Part part) {
  const bool sees_others = scene.standing == Standing::inside ||
                           (scene.standing == Standing::apart && scene.graph.edges() > 0);
  if (sees_others) return together(scene, part);
  const std::int64_t size = block_size();
  if (size == 1) return one_by_one(scene, part);
  std::vector<at::Tensor> rows;
  for (std::size_t first = 0; first < scene.asked.size(); first += static_cast<std::size_t>(size)) {
    const auto begin = scene.asked.begin() + static_cast<std::ptrdiff_t>(first);
    const std::int64_t count = std::min(size, scene.asked.end() - begin);
    std::vector<std::int64_t> places(begin, begin + count);
    places.resize(static_cast<std::size_t>(size), places.back());
    rows.push_back((block(scene, places).*part).slice(0, 0, count).cpu());
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
  return gathered(scenes, queries, &Scores::logits, &Evaluation::apart_from_others);
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
