#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <atomic>
#include <espalier/core/error.hpp>
#include <set>

#include "adapted_internal.hpp"
#include "matter_internal.hpp"
#include "peft_families_internal.hpp"
#include "properties_internal.hpp"
#include "storage_watch_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

// Sums over samples are taken in another order: float32 rounding. Gradients of a few numbers that
// scale whole matrices (fourierft, randlora) are sums that cancel; 3e-5 was seen of them.
constexpr double passes_tolerance = 1e-4;
constexpr std::int64_t steps_of_training = 4;

void sound_method_parameters(const Subject& subject, ToyFamily family) {
  const Adapted adapted(subject, family);
  std::set<std::string> names;
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    expect(names.insert(name).second, "two parameters are called \"" + name + "\"");
    expect(tensor.scalar_type() == at::kFloat, "\"" + name + "\" is not float32");
    expect(tensor.is_leaf() && tensor.requires_grad(), "\"" + name + "\" is no trainable leaf");
    expect(finite(tensor), "\"" + name + "\" is not finite");
  }
  expect(!subject.has("needs_sites") || !names.empty() || adapted.hooked(),
         "it attached no parameters and hooked no site");
}

void repeatable_method_start(const Subject& subject, ToyFamily family) {
  const Adapted first(subject, family);
  const Adapted second(subject, family);
  expect(first.parameters.entries().size() == second.parameters.entries().size(),
         "two initialisations have different parameters");
  for (std::size_t i = 0; i < first.parameters.entries().size(); ++i) {
    const auto& [name, tensor] = first.parameters.entries()[i];
    const auto& [other, same] = second.parameters.entries()[i];
    expect(name == other && same_bits(tensor, same), "\"" + name + "\" differs with the same seed");
  }
}

void features_as_before(const Subject& subject, ToyFamily family) {
  const Adapted adapted = with_sites(subject, family);
  if (!subject.has("identity_at_init")) throw Skip("`identity_at_init` is not declared");
  expect(close(adapted.features(), adapted.features_of(*toy_encoder(family)), 1e-6),
         "`identity_at_init` is declared and the untrained method changes the features");
}

// One step along the gradient of every parameter that gets one.
void takes_part_in_training(const Subject& subject, ToyFamily family) {
  const Adapted adapted = with_sites(subject, family);
  if (adapted.parameters.entries().empty()) throw Skip("nothing of it is trained");
  const at::Tensor before = adapted.features();
  const Gradients gradients = adapted.gradients();
  double moved = 0;
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    const auto found = gradients.find(name);
    if (found == gradients.end()) continue;
    expect(finite(found->second), "the gradient of \"" + name + "\" is not finite");
    const c10::NoGradGuard no_grad;
    at::Tensor(tensor).sub_(found->second, 0.01);
    moved += found->second.abs().sum().item<double>();
  }
  expect(moved > 0, "no parameter gets a gradient");
  expect(!at::equal(before, adapted.features()), "a step of training changes nothing");
}

// Whatever a slot holds in its place, the tensor that was loaded stays what it was.
void leaves_the_encoder_frozen(const Subject& subject, ToyFamily family) {
  const Adapted adapted = with_sites(subject, family);
  (void)adapted.gradients();
  const auto fresh = toy_encoder(family);
  for (std::size_t i = 0; i < fresh->weights().size(); ++i) {
    const WeightSlot& weight = adapted.encoder->weights()[i];
    expect(!weight.frozen.requires_grad(), "\"" + weight.name + "\" is made trainable in place");
    expect(at::equal(weight.frozen, fresh->weights()[i].frozen),
           "\"" + weight.name + "\" is written to");
  }
}

void every_parameter_gets_a_gradient(const Subject& subject, ToyFamily family) {
  const Adapted adapted = disturbed_method(subject, family);
  const Gradients gradients = adapted.gradients();
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    const auto found = gradients.find(name);
    expect(found != gradients.end(), "\"" + name + "\" gets no gradient");
    expect(finite(found->second), "the gradient of \"" + name + "\" is not finite");
  }
}

// Relative to the larger of its own size and a fiftieth of the largest: some gradients, such as
// those of biases of keys, are 0 but for float32's rounding, which is of the size of the others'.
void expect_equal(const Gradients& found, const Gradients& expected, const std::string& how) {
  double largest = 0;
  for (const auto& [name, gradient] : expected) {
    largest = std::max(largest, gradient.norm().item<double>());
  }
  for (const auto& [name, gradient] : expected) {
    const auto other = found.find(name);
    expect(other != found.end(), "\"" + name + "\" gets no gradient " + how);
    const double off = (other->second - gradient).norm().item<double>();
    const double size = std::max(gradient.norm().item<double>(), 0.02 * largest);
    expect(off <= passes_tolerance * size, "the gradient of \"" + name + "\" is another " + how +
                                               ", by " + Json(off / size).dump() + " of its size");
  }
}

void passes_have_the_gradients_of_one_tape(const Subject& subject, ToyFamily family) {
  const Adapted adapted = disturbed_method(subject, family);
  const Gradients expected = adapted.gradients();
  for (const std::int64_t chunk : {1, 2, 3}) {
    const std::string how = "in passes of " + std::to_string(chunk);
    expect_equal(adapted.gradients_by_passes(chunk), expected, how);
  }
}

void nothing_changes_below_the_cut(const Subject& subject, ToyFamily family) {
  const Adapted adapted = disturbed_method(subject, family);
  const auto fresh = toy_encoder(family);
  const auto towers = towers_of(*adapted.encoder), frozen = towers_of(*fresh);
  const c10::NoGradGuard no_grad;
  for (std::size_t i = 0; i < towers.size(); ++i) {
    const TowerKind kind = towers[i]->kind();
    const std::int64_t cut = adapted.encoder->cut(kind);
    const at::Tensor below = towers[i]->advance(toy_input(kind), -1, cut, {}).states;
    expect(same_bits(below, frozen[i]->advance(toy_input(kind), -1, cut, {}).states),
           "it changes the " + std::string(to_string(kind)) + " tower below place " +
               std::to_string(cut) + ", the lowest that it hooks or trains");
  }
}

// A product of one row is rounded otherwise than one of three.
void rows_do_not_meet(const Subject& subject, ToyFamily family) {
  constexpr double tolerance = 1e-5;
  const Adapted adapted = disturbed_method(subject, family);
  for (const Tower* tower : towers_of(*adapted.encoder)) {
    const std::int64_t count = toy_input(tower->kind(), adapted.class_template).states.size(0);
    const at::Tensor together = adapted.rows_alone(*tower, 0, count);
    for (std::int64_t row = 0; row < count; ++row) {
      expect(close(adapted.rows_alone(*tower, row, row + 1), together.slice(0, row, row + 1),
                   tolerance),
             "row " + std::to_string(row) + " of a pass through the " +
                 std::string(to_string(tower->kind())) + " tower depends on who else is in it");
    }
  }
}

// A pass to the feature computes one position of the last layer, where it is made of one.
void positions_do_not_meet(const Subject& subject, ToyFamily family) {
  constexpr double tolerance = 1e-5;
  const Adapted adapted = disturbed_method(subject, family);
  for (const Tower* tower : towers_of(*adapted.encoder)) {
    const Activations input = toy_input(tower->kind(), adapted.class_template);
    const std::vector<std::int64_t> numbers = {0, 1, 2};
    const std::int64_t count = input.states.size(0), last = tower->layers();
    const Mode mode =
        toy_mode(tower->kind(), std::span(numbers).first(static_cast<std::size_t>(count)));
    const c10::NoGradGuard no_grad;
    const Activations output = tower->run(tower->advance(input, -1, 0, mode), 0, last, mode);
    expect(close(adapted.rows_alone(*tower, 0, count),
                 tower->head(output, mode).feature.to(at::kFloat), tolerance),
           "a hook in the last layer of the " + std::string(to_string(tower->kind())) +
               " tower mixes positions: one that does belongs on a branch or on tokens");
  }
}

void looks_without_a_trace(const Subject& subject, ToyFamily family) {
  if (!subject.has("graph")) throw Skip("`graph` is not declared");
  const auto encoder = toy_encoder(family);
  const ToySampleGraph graph(ToySampleGraph::Edges::some);
  const auto method = subject.make<Peft>();
  method->join(*encoder, graph, [&] {
    const at::Tensor seen = toy_features(*encoder);
    expect(same_bits(seen, toy_features(*toy_encoder(family))),
           "the hooks by which it looks at the nodes change what it sees");
    graph.look(*encoder);
    return true;
  });
  for (const Site* site : encoder->sites()) {
    expect(!site->hooked(), site->name + " is still hooked after join()");
  }
}

void messages_as_declared(const Subject& subject, ToyFamily family) {
  if (!subject.has("graph")) throw Skip("`graph` is not declared");
  const Adapted with = disturbed_method(subject, family);
  Adapted without(subject, family, 1, "float32", ToySampleGraph::Edges::none);
  without.disturb();
  expect(!close(with.features(), without.features(), 1e-6),
         "`graph` is declared and edges change nothing");
}

void reset_takes_it_off(const Subject& subject, ToyFamily family) {
  const Adapted adapted = disturbed_method(subject, family);
  adapted.encoder->reset();
  expect(same_bits(adapted.features(), adapted.features_of(*toy_encoder(family))),
         "features differ from the encoder's own after reset()");
}

void restored_parameters_make_the_same_features(const Subject& subject, ToyFamily family) {
  const Adapted trained = disturbed_method(subject, family);
  Adapted other(subject, family, 2);
  other.parameters.restore(trained.parameters.snapshot());
  expect(same_bits(trained.features(), other.features()),
         "the same parameters on a fresh encoder, attached with another seed, give other features");
}

// As a checkpoint does it: parameters and what the method remembers.
void goes_on_from_its_memory(const Subject& subject, ToyFamily family) {
  Adapted whole = disturbed_method(subject, family);
  const std::int64_t half = steps_of_training / 2;
  whole.train(1, half, steps_of_training);
  Adapted other(subject, family, 2);
  other.parameters.restore(whole.parameters.snapshot());
  const auto from = whole.method->memory();
  const auto into = other.method->memory();
  expect(from.size() == into.size(), "another seed remembers other tensors");
  for (std::size_t i = 0; i < from.size(); ++i) at::Tensor(into[i].second).copy_(from[i].second);
  for (Adapted* one : {&whole, &other}) one->train(half + 1, steps_of_training, steps_of_training);
  expect(same_bits(whole.features(), other.features()),
         "parameters and memory put back, training goes on otherwise");
}

void keeps_no_tensor(const Subject& subject, ToyFamily family) {
  const Adapted adapted = disturbed_method(subject, family);
  const StorageWatch watch(*adapted.encoder);
  (void)adapted.gradients_by_passes(1);
  for (const std::string& site : watch.kept()) {
    expect(false, "the hook of " + site + " keeps a tensor of a finished pass");
  }
}

void method_trains_as_it_says(const Subject& subject, ToyFamily family) {
  const Adapted adapted = disturbed_method(subject, family);
  std::atomic<bool> drawn = false;
  const bool same = at::equal(adapted.features(), adapted.features_in_training(drawn));
  expect_drawn_if_other(same, drawn);
}

// A method that trains the encoder's own weights may refuse, if it says what to set.
Adapted in_half_precision(const Subject& subject, ToyFamily family) try {
  return {subject, family, 1, "bfloat16"};
} catch (const Error& error) {
  const bool says_how = std::ranges::any_of(error.problems(), [](const Problem& problem) {
    return problem.fix.find("encoder.precision") != std::string::npos;
  });
  if (!says_how) throw;
  throw Skip(error.what());
}

// The frozen weights are; what is trained is not.
void works_in_half_precision(const Subject& subject, ToyFamily family) {
  if (!subject.has("needs_sites")) throw Skip("`needs_sites` is not declared");
  if (family == ToyFamily::mlp) throw Skip("it computes in float32 alone");
  Adapted adapted = in_half_precision(subject, family);
  adapted.disturb();
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    expect(tensor.scalar_type() == at::kFloat, "\"" + name + "\" is not float32");
  }
  expect(finite(adapted.features()), "features are not finite");
  const Gradients gradients = adapted.gradients();
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    const auto found = gradients.find(name);
    expect(found != gradients.end() && finite(found->second),
           "\"" + name + "\" gets no finite gradient");
  }
}

void only_the_tuned_conclude(const Subject& subject, ToyFamily family) {
  Adapted adapted = disturbed_method(subject, family);
  const at::Tensor before = adapted.features();
  const auto parameters = adapted.parameters.snapshot();
  adapted.conclude();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    expect(same_bits(adapted.parameters.entries()[i].second, parameters[i].second),
           "conclude() changes the parameter \"" + parameters[i].first + "\"");
  }
  const at::Tensor after = adapted.features();
  expect(finite(after), "features are not finite after conclude()");
  expect(subject.has("tuned") || same_bits(after, before),
         "conclude() changes features, and `tuned` is not declared: a trial will not call it");
}

void facts_are_flat(const Subject& subject, ToyFamily family) {
  Adapted adapted(subject, family);
  if (subject.has("tuned")) adapted.conclude();
  const Json facts = adapted.method->facts();
  expect(facts.is_object(), "facts() is no object");
  for (const auto& [name, value] : facts.items()) {
    expect(value.is_number() || value.is_string() || value.is_boolean(),
           "the fact \"" + name + "\" is no number, text or truth value");
  }
}

Behaviour watched_peft(const Subject& subject) {
  Adapted adapted(subject, ToyFamily::clip);
  Behaviour seen;
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    seen.add(name);
    seen.add(tensor);
  }
  for (const ParameterRates& rates : adapted.parameters.rates()) {
    seen.add(std::to_string(rates.lr) + " " + std::to_string(rates.decay));
  }
  for (const auto& [name, tensor] : adapted.method->buffers()) {
    seen.add(name);
    seen.add(tensor);
  }
  adapted.disturb();
  seen.add(adapted.features());
  for (const auto& [name, gradient] : adapted.gradients()) seen.add(gradient);
  adapted.train(1, steps_of_training, steps_of_training);
  seen.add(adapted.features());
  for (const auto& [name, tensor] : adapted.method->memory()) seen.add(tensor);
  if (subject.has("tuned")) adapted.conclude();
  seen.add(adapted.features());
  return seen;
}

}  // namespace

std::vector<Property> peft_properties() {
  std::vector<Property> all = {
      on_families("sound_parameters", "Parameters are distinct, finite, trainable float32",
                  sound_method_parameters),
      on_families("repeatable_initialisation", "The same seed gives the same parameters",
                  repeatable_method_start),
      on_families("identity_as_declared",
                  "Where `identity_at_init` is declared, features are as before",
                  features_as_before),
      on_families("takes_part_in_training", "Its parameters get gradients and change the features",
                  takes_part_in_training),
      on_families("every_parameter_gets_a_gradient",
                  "Once it is off its start, all of it is trained",
                  every_parameter_gets_a_gradient),
      on_families("passes_have_the_gradients_of_one_tape",
                  "Passes of any number of samples, dropout included, have the gradients of one",
                  passes_have_the_gradients_of_one_tape),
      on_families("training_differs_by_draws_alone",
                  "In training it computes as outside, but for what it draws from the mode",
                  method_trains_as_it_says),
      on_families("rows_do_not_meet", "Outside of training a row's features follow from it alone",
                  rows_do_not_meet),
      on_families("positions_do_not_meet",
                  "Hooks on linear maps and norms of the last layer treat each position by itself",
                  positions_do_not_meet),
      on_families("looks_without_a_trace",
                  "Hooks by which join() looks at nodes change nothing and are taken off again",
                  looks_without_a_trace),
      on_families("messages_as_declared", "Where `graph` is declared, edges matter",
                  messages_as_declared),
      on_families("keeps_no_tensor", "Its hooks keep nothing of a finished pass", keeps_no_tensor),
      on_families("nothing_changes_below_the_cut",
                  "What enters the lowest place it touches is as before",
                  nothing_changes_below_the_cut),
      on_families("reset_takes_it_off", "After reset() the encoder is as it was, bit by bit",
                  reset_takes_it_off),
      on_families("restored_parameters_make_the_same_features",
                  "Parameters put back on a fresh encoder make the same features",
                  restored_parameters_make_the_same_features),
      on_families("goes_on_from_its_memory",
                  "Training goes on from its parameters and memory bit by bit",
                  goes_on_from_its_memory),
      on_families("works_in_half_precision",
                  "On an encoder in bfloat16 it trains float32 parameters, and values are finite",
                  works_in_half_precision),
      on_families(
          "only_the_tuned_conclude",
          "conclude() leaves parameters alone, and changes features only where `tuned` is declared",
          only_the_tuned_conclude),
      on_families("facts_are_flat", "facts() is an object of numbers, texts and truth values",
                  facts_are_flat),
      on_families("leaves_the_encoder_frozen", "The weights that were loaded stay as they are",
                  leaves_the_encoder_frozen),
      parameters_matter(watched_peft),
  };
  for (Property& property : adapter_properties()) all.push_back(std::move(property));
  for (Property& property : family_properties()) all.push_back(std::move(property));
  return all;
}

}  // namespace espalier::conformance
