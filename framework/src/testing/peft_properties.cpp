#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>

#include <espalier/plugin/peft.hpp>
#include <set>

#include "properties_internal.hpp"
#include "toy_encoder_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

// A method attached to a small dual encoder; or to nothing, where it needs no sites.
struct Adapted {
  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;

  explicit Adapted(const Subject& subject, std::int64_t seed = 1)
      : encoder(subject.has("needs_sites") ? toy_encoder() : nullptr),
        method(subject.make<Peft>(seed)) {
    Random random(seed, "init");
    method->attach(encoder.get(), parameters, random);
  }
};

Adapted with_sites(const Subject& subject) {
  if (!subject.has("needs_sites")) throw Skip("`needs_sites` is not declared");
  return Adapted(subject);
}

void sound_parameters(const Subject& subject) {
  const Adapted adapted(subject);
  std::set<std::string> names;
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    expect(names.insert(name).second, "two parameters are called \"" + name + "\"");
    expect(tensor.scalar_type() == at::kFloat, "\"" + name + "\" is not float32");
    expect(tensor.is_leaf() && tensor.requires_grad(), "\"" + name + "\" is no trainable leaf");
    expect(finite(tensor), "\"" + name + "\" is not finite");
  }
  expect(!subject.has("needs_sites") || !names.empty(), "it attached no parameters");
}

void repeatable_initialisation(const Subject& subject) {
  const Adapted first(subject);
  const Adapted second(subject);
  expect(first.parameters.entries().size() == second.parameters.entries().size(),
         "two initialisations have different parameters");
  for (std::size_t i = 0; i < first.parameters.entries().size(); ++i) {
    const auto& [name, tensor] = first.parameters.entries()[i];
    const auto& [other, same] = second.parameters.entries()[i];
    expect(name == other && same_bits(tensor, same), "\"" + name + "\" differs with the same seed");
  }
}

void identity_as_declared(const Subject& subject) {
  const Adapted adapted = with_sites(subject);
  if (!subject.has("identity_at_init")) throw Skip("`identity_at_init` is not declared");
  expect(close(toy_features(*adapted.encoder), toy_features(*toy_encoder()), 1e-6),
         "`identity_at_init` is declared and the untrained method changes the features");
}

// One step along the gradient of every parameter that gets one.
void takes_part_in_training(const Subject& subject) {
  const Adapted adapted = with_sites(subject);
  const at::Tensor before = toy_features(*adapted.encoder);
  before.square().sum().backward();
  double moved = 0;
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    const at::Tensor gradient = tensor.grad();
    if (!gradient.defined()) continue;
    expect(finite(gradient), "the gradient of \"" + name + "\" is not finite");
    const c10::NoGradGuard no_grad;
    at::Tensor target = tensor;
    target.sub_(gradient, 0.01);
    moved += gradient.abs().sum().item<double>();
  }
  expect(moved > 0, "no parameter gets a gradient");
  expect(!at::equal(before, toy_features(*adapted.encoder)), "a step of training changes nothing");
}

// Whatever a slot holds in its place, the tensor that was loaded stays what it was.
void leaves_the_encoder_frozen(const Subject& subject) {
  const Adapted adapted = with_sites(subject);
  toy_features(*adapted.encoder).square().sum().backward();
  const auto fresh = toy_encoder();
  for (std::size_t i = 0; i < fresh->weights().size(); ++i) {
    const WeightSlot& weight = adapted.encoder->weights()[i];
    expect(!weight.frozen.requires_grad(), "\"" + weight.name + "\" is made trainable in place");
    expect(at::equal(weight.frozen, fresh->weights()[i].frozen),
           "\"" + weight.name + "\" is written to");
  }
}

}  // namespace

std::vector<Property> peft_properties() {
  return {
      {"sound_parameters", "Parameters are distinct, finite, trainable float32", true,
       sound_parameters},
      {"repeatable_initialisation", "The same seed gives the same parameters", true,
       repeatable_initialisation},
      {"identity_as_declared", "Where `identity_at_init` is declared, features are as before", true,
       identity_as_declared},
      {"takes_part_in_training", "Its parameters get gradients and change the features", true,
       takes_part_in_training},
      {"leaves_the_encoder_frozen", "The weights that were loaded stay as they are", true,
       leaves_the_encoder_frozen},
  };
}

}  // namespace espalier::conformance
