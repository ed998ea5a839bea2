#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/published.hpp>

#include "adapted_internal.hpp"
#include "peft_families_internal.hpp"
#include "properties_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

// Weights change by rounding when they are folded, and every layer passes that on.
constexpr double merge_tolerance = 1e-4;
// A method may write what it computes otherwise, such as a difference of products as one of twice
// the rank.
constexpr double adapter_tolerance = 1e-5;

void merging_keeps_features(const Subject& subject, ToyFamily family) {
  if (!subject.has("mergeable")) throw Skip("`mergeable` is not declared");
  const Adapted adapted = disturbed_method(subject, family);
  const c10::NoGradGuard no_grad;
  const at::Tensor before = adapted.features();
  adapted.method->merge(*adapted.encoder);
  for (const Site* site : adapted.encoder->sites()) {
    expect(!site->hooked(), site->name + " is still hooked after merge()");
  }
  for (const WeightSlot& weight : adapted.encoder->weights()) {
    expect(!weight.slot->requires_grad(), weight.name + " is still trained after merge()");
  }
  expect(close(adapted.features(), before, merge_tolerance), "merge() changes the features");
}

void reset_undoes_a_merge(const Subject& subject, ToyFamily family) {
  if (!subject.has("mergeable")) throw Skip("`mergeable` is not declared");
  const Adapted adapted = disturbed_method(subject, family);
  const c10::NoGradGuard no_grad;
  adapted.method->merge(*adapted.encoder);
  adapted.encoder->reset();
  expect(same_bits(adapted.features(), adapted.features_of(*toy_encoder(family))),
         "features differ from the encoder's own after merge() and reset()");
}

void sound_adapter_config(const Subject& subject, ToyFamily family) {
  const Json config = Adapted(subject, family).method->adapter_config();
  if (config.is_null()) throw Skip("Hugging Face has no format for it");
  expect(config.is_object() && config.contains("peft_type") && config.at("peft_type").is_string(),
         "adapter_config() is no object with a `peft_type`");
}

// What reads an adapter of this config. Throws Skip where that is another component.
Subject read_as(const Subject& subject, const Json& config) {
  try {
    const ComponentRef component = published_method(config, "adapter_config()").component;
    if (component.use == subject.info().name) return subject.given(component.params);
    throw Skip("its adapter is read as peft/" + component.use);
  } catch (const Error& error) {
    throw Violation("its adapter cannot be read: " + std::string(error.what()) +
                    "; own_adapter_config() makes a config that can");
  }
}

// By its files alone, on a fresh encoder and with another seed.
void adapter_makes_it_again(const Subject& subject, ToyFamily family) {
  const Adapted trained = disturbed_method(subject, family);
  const Json config = trained.method->adapter_config();
  if (config.is_null()) throw Skip("it has no adapter");
  const auto tensors = trained.method->adapter_tensors(trained.parameters.entries());
  const Adapted again(read_as(subject, parse_json(config.dump(), "adapter_config()")), family, 2);
  std::vector<Parameters::Entry> into = again.parameters.entries();
  for (Parameters::Entry& buffer : again.method->buffers()) into.push_back(std::move(buffer));
  copy_tensors(tensors, into, "its adapter");
  const c10::NoGradGuard no_grad;
  expect(close(again.features(), trained.features(), adapter_tolerance),
         "made again from its adapter, it gives other features");
}

}  // namespace

std::vector<Property> adapter_properties() {
  return {
      on_families("merging_keeps_features",
                  "Where `mergeable` is declared, merge() keeps the features",
                  merging_keeps_features),
      on_families("reset_undoes_a_merge", "After merge() and reset() the encoder is as it was",
                  reset_undoes_a_merge),
      on_families("sound_adapter_config", "adapter_config() is null or says what method it is",
                  sound_adapter_config),
      on_families("adapter_makes_it_again",
                  "Its adapter alone makes the same method on a fresh encoder",
                  adapter_makes_it_again),
  };
}

}  // namespace espalier::conformance
