#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <vector>

#include "adapted_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

// Rows [begin, end) of a batch in training, each with an id of its own.
class TrainingRows {
 public:
  TrainingRows(std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      ids_.push_back(static_cast<std::uint64_t>(row));
      rows_.push_back(row);
    }
  }
  [[nodiscard]] Mode mode(TowerKind tower, std::atomic<bool>* drawn = nullptr) const {
    Mode mode = toy_mode(tower, rows_);
    mode.training = true;
    mode.dropout = {.key = 6, .rows = ids_, .drawn = drawn};
    return mode;
  }

 private:
  std::vector<std::uint64_t> ids_;
  std::vector<std::int64_t> rows_;
};

Activations some_rows(const Activations& x, std::int64_t begin, std::int64_t end) {
  const auto part = [&](const at::Tensor& t) { return t.defined() ? t.slice(0, begin, end) : t; };
  return {part(x.states), part(x.valid), part(x.pooled)};
}

// A number that every value of a tower's features changes.
at::Tensor loss_of(const at::Tensor& features) {
  Random random(std::uint64_t{12});
  return (features * normal_tensor(features.sizes(), random) + features * features).sum();
}

}  // namespace

Adapted::Adapted(const Subject& subject, ToyFamily on, std::int64_t seed,
                 const std::string& precision, ToySampleGraph::Edges edges)
    : family(on),
      encoder(toy_encoder(on, precision)),
      graph(std::make_unique<ToySampleGraph>(edges)),
      method(subject.make<Peft>(seed)),
      class_template(method->class_template()) {
  Random random(seed, "init");
  if (subject.has("needs_features")) method->prepare(toy_method_input(*encoder, class_template));
  if (subject.has("graph")) {
    method->join(*encoder, *graph, [this] {
      graph->look(*encoder);
      return true;
    });
  }
  if (subject.has("needs_sites")) method->attach(*encoder, parameters, random);
}

Adapted with_sites(const Subject& subject, ToyFamily family) {
  if (!subject.has("needs_sites")) throw Skip("`needs_sites` is not declared");
  return {subject, family};
}

Adapted disturbed_method(const Subject& subject, ToyFamily family) {
  Adapted adapted = with_sites(subject, family);
  adapted.disturb();
  return adapted;
}

void Adapted::conclude() {
  method->conclude(toy_method_input(*toy_encoder(family), class_template).val);
}

bool Adapted::hooked() const {
  return std::ranges::any_of(encoder->sites(), [](const Site* site) { return site->hooked(); });
}

at::Tensor Adapted::rows_alone(const Tower& tower, std::int64_t begin, std::int64_t end) const {
  const c10::NoGradGuard no_grad;
  const Activations input = some_rows(toy_input(tower.kind(), class_template), begin, end);
  std::vector<std::int64_t> numbers;
  for (std::int64_t row = begin; row < end; ++row) numbers.push_back(row);
  return tower.advance(input, -1, tower.layers() + 2, toy_mode(tower.kind(), numbers))
      .states.to(at::kFloat);
}

void Adapted::disturb() {
  const c10::NoGradGuard no_grad;
  Random random(std::uint64_t{77});
  for (at::Tensor& tensor : parameters.tensors()) {
    tensor.add_(normal_tensor(tensor.sizes(), random), 0.1);
  }
}

void Adapted::train(std::int64_t from, std::int64_t to, std::int64_t steps) {
  for (std::int64_t step = from; step <= to; ++step) {
    at::Tensor loss = features().square().mean();
    if (const at::Tensor penalty = method->penalty(); penalty.defined()) loss = loss + penalty;
    if (loss.requires_grad()) loss.backward();
    const c10::NoGradGuard no_grad;
    for (at::Tensor& tensor : parameters.tensors()) {
      if (tensor.grad().defined()) tensor.sub_(tensor.grad(), 0.01);
    }
    method->updated(step, steps);
    for (const at::Tensor& tensor : parameters.tensors()) tensor.mutable_grad().reset();
  }
}

Gradients Adapted::taken() const {
  Gradients gradients;
  for (const auto& [name, tensor] : parameters.entries()) {
    if (tensor.grad().defined()) gradients[name] = tensor.grad().clone();
    tensor.mutable_grad().reset();
  }
  return gradients;
}

ToyRows Adapted::rows_in_training(std::atomic<bool>* drawn) const {
  ToyRows features;
  for (const Tower* tower : towers_of(*encoder)) {
    const Activations input = toy_input(tower->kind(), class_template);
    const TrainingRows all(0, input.states.size(0));
    features[tower->kind()] =
        tower->advance(input, -1, tower->layers() + 2, all.mode(tower->kind(), drawn))
            .states.to(at::kFloat);
  }
  return features;
}

at::Tensor Adapted::said_in_training(const ToyRows& features, std::atomic<bool>* drawn) const {
  const auto rows = [&](TowerKind kind) {
    const auto found = features.find(kind);
    return TrainingRows(0, found == features.end() ? 0 : found->second.size(0));
  };
  const TrainingRows of_images = rows(TowerKind::image), of_texts = rows(TowerKind::text);
  return all_said(*encoder, features, of_images.mode(TowerKind::image, drawn),
                  of_texts.mode(TowerKind::text, drawn));
}

at::Tensor Adapted::features_in_training(std::atomic<bool>& drawn) const {
  return said_in_training(rows_in_training(&drawn), &drawn);
}

// Of everything that is said of them in training.
at::Tensor Adapted::loss(const ToyRows& features) const {
  const at::Tensor said = said_in_training(features, nullptr);
  const at::Tensor own = method->penalty();
  return own.defined() ? loss_of(said) + own : loss_of(said);
}

Gradients Adapted::gradients() const {
  const at::Tensor sum = loss(rows_in_training(nullptr));
  if (sum.requires_grad()) sum.backward();
  return taken();
}

Gradients Adapted::gradients_by_passes(std::int64_t chunk) const {
  std::vector<ReplayedRows> passes;
  ToyRows features;
  for (const Tower* tower : towers_of(*encoder)) {
    const TowerKind kind = tower->kind();
    const std::int64_t cut = encoder->cut(kind);
    Activations entering;
    {
      const c10::NoGradGuard no_grad;
      entering = tower->advance(toy_input(kind, class_template), -1, cut, {});
    }
    const auto compute = [tower, kind, cut, entering](std::int64_t begin, std::int64_t end) {
      const TrainingRows some(begin, end);
      return tower
          ->advance(some_rows(entering, begin, end), cut, tower->layers() + 2, some.mode(kind))
          .states;
    };
    features[kind] =
        passes.emplace_back(entering.states.size(0), chunk, compute, ReplayedRows::Compare::yes)
            .values();
  }
  const at::Tensor sum = loss(features);
  if (sum.requires_grad()) sum.backward();
  for (ReplayedRows& pass : passes) pass.replay();
  return taken();
}

}  // namespace espalier::conformance
