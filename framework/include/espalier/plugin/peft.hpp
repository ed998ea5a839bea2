// Kind `peft`: attaches trainable parameters to the named sites of a frozen encoder.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/core/random.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/tensor/tensor.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// What the encoder says of the training samples before anything is attached: float32 [samples,
// width] each, undefined where the trial has no use for it.
struct FrozenFeatures {
  at::Tensor images;
  at::Tensor texts;
};

// A trial runs the encoder in passes of a few samples, and runs it again for the gradients:
// site.hpp says what that asks of a hook.
//
// Capabilities: `needs_sites` (the encoder must have them), `needs_features` (prepare() must come
// first), `identity_at_init` (features are as before until something is trained), `mergeable`.
class Peft {
 public:
  using Interface = Peft;
  static constexpr std::string_view kind = "peft";

  virtual ~Peft();

  // Called once with `needs_features`, before attach(). Labels are positions in the class list.
  virtual void prepare(const FrozenFeatures& train, std::span<const std::int64_t> labels);
  // Called once with `needs_sites`: adds its parameters, under the names that Hugging Face has for
  // them, and hooks sites or puts parameters into their weights.
  virtual void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random);

  // What it adds to the loss of every update: a scalar with its tape. Undefined: nothing.
  [[nodiscard]] virtual at::Tensor penalty() const;
  // Called after every update, `step` of `steps` counted from 1, with the parameters as they are
  // now and the gradients that moved them still there. May change its parameters in place.
  virtual void updated(std::int64_t step, std::int64_t steps);
  // What updated() remembers, in its own storage, once attached: a checkpoint keeps it, and writes
  // it back into these.
  [[nodiscard]] virtual std::vector<Parameters::Entry> memory() const;

  // adapter_config.json as Hugging Face PEFT writes it for this method, once attached, but for what
  // the trial knows better (the base model, that it is for inference); for a method that PEFT does
  // not know the same with a `peft_type` of its own. Null: the method has no adapter.
  [[nodiscard]] virtual Json adapter_config() const;
  // Tensors that belong to its adapter beside the parameters, in their own storage, once attached:
  // shared random projections, for one. Whoever reads an adapter writes into them.
  [[nodiscard]] virtual std::vector<Parameters::Entry> buffers() const;
  // What the adapter's file holds, of its parameters under the names that it gave them: by default
  // these and its buffers.
  [[nodiscard]] virtual std::vector<Parameters::Entry> adapter_tensors(
      std::vector<Parameters::Entry> parameters) const;
  // Methods that this one is made of, by the names behind which their parameters are; each has an
  // adapter of its own then. None: it is one.
  using Part = std::pair<std::string, const Peft*>;
  [[nodiscard]] virtual std::vector<Part> parts() const;
  // With `mergeable`: puts what was trained into the weights and takes its hooks off. Features stay
  // as they are, up to rounding.
  virtual void merge(AdaptableEncoder& encoder);
};

}  // namespace espalier
