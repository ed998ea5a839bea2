// Kind `peft`: attaches trainable parameters to the named sites of a frozen encoder.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/core/random.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// What a head is given of some samples, and what it makes of that, without a method. On the CPU.
struct JudgedFeatures {
  at::Tensor features;  // float32 [rows, width]
  at::Tensor logits;    // float32 [rows, classes]; undefined where the head is not `prompts`
  at::Tensor labels;    // int64 [rows], positions in the class list
};

// What a trial knows before a method is attached and anything is trained; nothing of test samples.
struct MethodInput {
  // With views the rows of a sample are its views, one behind the other; else it has one row.
  JudgedFeatures train;
  std::int64_t views = 1;  // rows of a training sample
  // Without rows where there is nothing to choose by.
  JudgedFeatures val;

  // Where the head is `prompts`: class vectors, float32 [classes, width] on the CPU, the mean of a
  // class's texts of length 1 each, and the factor on their cosines with features.
  at::Tensor classes;
  double logit_scale = 1;
  // The ids of each class's texts as the text tower takes them, and of any other text. Empty where
  // no texts of classes are looked at.
  std::vector<TokenLists> class_tokens;
  std::function<std::vector<std::int64_t>(const std::string& text)> tokens;
  // The ids of the texts of classes that are asked about and not learnt: their labels follow.
  std::vector<TokenLists> new_class_tokens = {};
};

// Which samples of a trial send messages to which, by their numbers (Mode::samples). It knows them
// by the trial's frozen features; there is no place for a label in it.
class SampleGraph {
 public:
  virtual ~SampleGraph();

  // The training samples that others may be joined to, none under protocol.graph: none.
  [[nodiscard]] virtual std::span<const std::int64_t> nodes() const = 0;
  // The edges among them, node i being nodes()[i]: square.
  [[nodiscard]] virtual const CsrGraph& graph() const = 0;
  // The edges from the nodes to any samples, [samples, nodes]: to a node those of graph(), to
  // another those that it is attached by. A row follows from its own sample and the nodes alone.
  [[nodiscard]] virtual CsrGraph rows(std::span<const std::int64_t> samples) const = 0;
};

// Runs the frozen image tower over the pictures of a SampleGraph's nodes as they are, in the order
// of the nodes and each once, through the hooks that are there now. False: the trial is stopped.
using LookAtNodes = std::function<bool()>;

// A trial runs the encoder in passes of a few samples, and runs it again for the gradients:
// site.hpp says what that asks of a hook.
//
// Capabilities: `needs_sites` (the encoder must have them), `needs_features` (prepare() must come
// first), `class_template` (it learns in class_template(): the classes' texts are made of that, and
// nothing else that the text tower reads is changed), `needs_class_texts` (works on class vectors,
// or on scores by them), `fits_features` (what it prepares holds for features as the encoder gives
// them, so a network must begin by leaving them as they are), `tuned` (conclude() must come last),
// `identity_at_init` (features are as before
// until something is trained), `mergeable`; `needs_image`, `needs_text` (it changes nothing without
// that tower), `on_linear`, `on_norm`, `on_branch`, `on_tokens`, `on_feature` (the roles of sites
// that it changes: it trains something in every encoder that has a site of one of them, and nothing
// in others), `graph` (it sends messages along a SampleGraph: join() must come before attach()),
// `edge_weight` (looks at their weights), `needs_relations` (cannot do without their relations).
class Peft {
 public:
  using Interface = Peft;
  static constexpr std::string_view kind = "peft";

  virtual ~Peft();

  // With `class_template`: the text of a class, {} for its name. Mode::classes says in a pass which
  // rows are of such texts.
  [[nodiscard]] virtual std::string class_template() const;
  // Called once with `needs_features`, before attach().
  virtual void prepare(const MethodInput& input);
  // Called once with `graph`, before attach(), with a clean encoder. Hooks that it puts in to see
  // what `look` shows return what they are given, may keep copies of parts of it, and are taken off
  // again. The graph outlives the method. A plan, which has no pictures, calls it with a graph of no
  // nodes, whatever is declared.
  virtual void join(AdaptableEncoder& encoder, const SampleGraph& graph, const LookAtNodes& look);
  // Called once with `needs_sites`: adds its parameters, under the names that Hugging Face has for
  // them, and hooks sites or puts parameters into their weights.
  virtual void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random);
  // What it adds to the loss of every update: a scalar with its tape. Undefined: nothing.
  [[nodiscard]] virtual at::Tensor penalty() const;
  // Called once with `tuned` where there are validation samples, when training has ended and the
  // parameters of the chosen epoch are in place, before anything is tested: it may set what is not
  // trained by what is right for these. Parameters stay as they are.
  virtual void conclude(const JudgedFeatures& val);
  // What it found by itself and a reader of results should know, such as values searched on
  // validation samples: an object of numbers, texts and truth values. Asked for at the end.
  [[nodiscard]] virtual Json facts() const;

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
  // as they are, up to rounding. Throws Error by default.
  virtual void merge(AdaptableEncoder& encoder);
};

}  // namespace espalier
