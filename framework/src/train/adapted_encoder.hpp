// A method in the encoder of a trial, and the features that depend on its parameters.
#pragma once

#include "results/trial_result.hpp"
#include "train/features.hpp"
#include "train/method_in_training.hpp"
#include "train/pictures.hpp"
#include "train/stored_activations.hpp"
#include "train/trial_features.hpp"
#include "train/trial_setting.hpp"
#include <cstdint>
#include <espalier/dataset/prompts.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/plugin/peft.hpp>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace espalier {

// Whether features of a tower depend on what a method trains.
[[nodiscard]] bool reaches(const AdaptableEncoder& model, TowerKind kind);

// Attaches a method to an encoder, of which it sees what the trial looks at. Adds its parameters,
// on the encoder's device. False where it neither trains nor changes anything.
[[nodiscard]] bool attach_method(Peft& method, const std::string& method_name,
                                 AdaptableEncoder& looked_at, std::int64_t seed,
                                 Parameters& parameters);

// `its image tower`, for messages.
[[nodiscard]] std::string towers_of(const AdaptableEncoder& model);

class AdaptedEncoder {
 public:
  // The encoder is clean. All references must outlive this.
  AdaptedEncoder(const TrialSetting& setting, const FeatureInputs& inputs, const TrainParams& train,
                 const Sources& looked_at);
  AdaptedEncoder(const AdaptedEncoder&) = delete;
  AdaptedEncoder& operator=(const AdaptedEncoder&) = delete;
  // Takes the method off: the worker keeps the encoder.
  ~AdaptedEncoder();

  // Attaches the trial's method, which must be prepared where it asks for that; its parameters have
  // names behind `peft.`. Throws Error where it neither trains nor changes anything.
  void attach(Parameters& parameters);
  // What is known of the classes' texts, the `prompts`, is added to `input`: the first `learnt` are
  // of classes that are learnt. What the component throws has its name.
  void prepare(MethodInput input, const ClassTexts& prompts, std::size_t learnt);
  // Before attach(): the method is told of a graph, which must outlive this, and looks at its
  // nodes. False: stopped.
  bool join(const SampleGraph& graph);
  void conclude(const JudgedFeatures& val);
  // The method, for the loop that trains it.
  [[nodiscard]] MethodInTraining in_training() const;
  [[nodiscard]] Json facts() const;

  // The frozen ones, with sources of its own in the place of those that the method reaches:
  // pictures are looked at in `looks`, classes by their `prompts`. Where the method changes
  // features and trains nothing they are computed once. Empty: stopped.
  [[nodiscard]] std::optional<Sources> sources(const TrialFeatures& frozen,
                                               std::span<const Look> looks,
                                               const ClassTexts& prompts);
  // Whether no activation had to be computed for them.
  [[nodiscard]] bool cached() const noexcept { return cached_; }

  [[nodiscard]] const Peft& method() const noexcept { return *method_; }
  [[nodiscard]] const AdaptableEncoder& model() const noexcept { return *model_; }
  // Scalars of loaded weights in whose place parameters stand.
  [[nodiscard]] std::int64_t replaced() const;

  // Operations below the image tower's cut for one picture; missing where the method does not reach
  // the image tower.
  [[nodiscard]] double prefix_flops(const Look& look) const;
  // Fills in what the image tower takes of a picture, the fastest of a few times, as it is and with
  // the method merged into it, where that can be: the method is in the weights then.
  void measure_inference(const Look& look, TrialResult& result);

 private:
  // Of the whole image tower.
  [[nodiscard]] double inference_seconds(const Activations& picture, const Mode& mode) const;
  // What enters the image tower of one picture.
  [[nodiscard]] Activations pixels(const Look& look) const;
  [[nodiscard]] TokenLists tokens(std::span<const std::string> texts) const;
  // What enters the cut. Null: stopped.
  [[nodiscard]] std::shared_ptr<const ActivationSource> below_cut(
      TowerKind kind, const std::string& family, std::shared_ptr<const ActivationSource> entering,
      std::span<const Look> looks, LookName name);
  [[nodiscard]] std::shared_ptr<const ActivationSource> images_below_cut(
      std::span<const Look> looks);
  // From the cut up, where what enters it is there.
  [[nodiscard]] std::shared_ptr<const FeatureSource> tower_source(
      TowerKind kind, std::shared_ptr<const ActivationSource> below, std::span<const Look> looks);
  // False: stopped.
  bool look_at(std::span<const std::int64_t> samples);
  [[nodiscard]] std::shared_ptr<const FeatureSource> images(std::span<const Look> looks);
  [[nodiscard]] std::shared_ptr<const FeatureSource> texts(
      const std::map<std::size_t, std::string>& captions);
  [[nodiscard]] std::shared_ptr<const FeatureSource> classes(const ClassTexts& prompts);

  const TrialSetting& setting_;
  const FeatureInputs& inputs_;
  Pictures pictures_;
  std::int64_t chunk_;
  StoredAs stored_as_;
  std::shared_ptr<Encoder> encoder_;
  std::unique_ptr<AdaptableEncoder> model_;  // what the trial looks at
  std::shared_ptr<Peft> method_;
  bool trains_ = false;
  bool reaches_images_ = false;
  bool cached_ = true;
};

}  // namespace espalier
