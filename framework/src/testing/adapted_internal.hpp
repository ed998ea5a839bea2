// A PEFT method attached to the toy encoder, and passes over it.
#pragma once

#include <atomic>
#include <espalier/nn/replay.hpp>
#include <espalier/plugin/peft.hpp>
#include <espalier/testing/conformance.hpp>
#include <map>
#include <memory>
#include <string>

#include "toy_encoder_internal.hpp"
#include "toy_sample_graph_internal.hpp"

namespace espalier::conformance {

using Gradients = std::map<std::string, at::Tensor>;

struct Adapted {
  // On a clean model of the family, prepared with toy_method_input(), joined to a toy graph and
  // attached where the method asks for it, with the stream `init` of `seed`.
  Adapted(const Subject& subject, ToyFamily family, std::int64_t seed = 1,
          const std::string& precision = "float32",
          ToySampleGraph::Edges edges = ToySampleGraph::Edges::some);

  // Moves every parameter by a little noise, so that what starts at zero takes part.
  void disturb();
  // With the validation samples of toy_method_input().
  void conclude();
  [[nodiscard]] bool hooked() const;
  // Features [rows, width] of rows [begin, end) of a tower's toy_input(), run by themselves.
  [[nodiscard]] at::Tensor rows_alone(const Tower& tower, std::int64_t begin,
                                      std::int64_t end) const;
  [[nodiscard]] at::Tensor features() const { return features_of(*encoder); }
  // Of the same inputs.
  [[nodiscard]] at::Tensor features_of(const AdaptableEncoder& other) const {
    return toy_features(other, class_template);
  }

  // The same in training; `drawn` becomes true where something is drawn.
  [[nodiscard]] at::Tensor features_in_training(std::atomic<bool>& drawn) const;

  // Updates `from` to `to` of `steps`, along the gradients of features and penalty.
  void train(std::int64_t from, std::int64_t to, std::int64_t steps);

  // Of a loss on everything the encoder says and the method's penalty, in training; from the pixels
  // and ids with one tape.
  [[nodiscard]] Gradients gradients() const;
  // The same by passes of `chunk` samples over what enters the cuts. Throws Error where a replay
  // gives other numbers.
  [[nodiscard]] Gradients gradients_by_passes(std::int64_t chunk) const;

  ToyFamily family;
  std::unique_ptr<AdaptableEncoder> encoder;
  std::unique_ptr<ToySampleGraph> graph;
  std::shared_ptr<Peft> method;
  std::string class_template;  // that the method learns in
  Parameters parameters;

 private:
  [[nodiscard]] ToyRows rows_in_training(std::atomic<bool>* drawn) const;
  [[nodiscard]] at::Tensor said_in_training(const ToyRows& features,
                                            std::atomic<bool>* drawn) const;
  [[nodiscard]] at::Tensor loss(const ToyRows& features) const;
  [[nodiscard]] Gradients taken() const;
};

// The subject's method where it attaches to sites. Throws Skip where it does not say so.
[[nodiscard]] Adapted with_sites(const Subject& subject, ToyFamily family);
// The same, off its start.
[[nodiscard]] Adapted disturbed_method(const Subject& subject, ToyFamily family);

}  // namespace espalier::conformance
