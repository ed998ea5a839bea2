// What the frozen encoder says of a trial's samples, computed once for all trials that need it.
#pragma once

#include "cache/stage_entry.hpp"
#include "experiment/stage.hpp"
#include "train/class_features.hpp"
#include "train/feature_table.hpp"
#include "train/pictures.hpp"
#include "train/pixel_batches.hpp"
#include "train/stage_filling.hpp"
#include "train/unlabelled_dataset.hpp"
#include <cstddef>
#include <espalier/core/json.hpp>
#include <espalier/core/process.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// Everything that the stages of stage.hpp need. Components are made by the functions, and only
// where the cache lacks something.
struct FeatureInputs {
  const UnlabelledDataset* photos = nullptr;
  std::function<std::shared_ptr<Captioner>()> captioner;
  std::function<std::shared_ptr<Encoder>()> encoder;
  std::string dataset_name;  // dataset/..., for messages
  std::string captioner_name;
  std::string encoder_name;
  bool given = false;                    // rows are those that the photos' dataset has
  bool shared_space = false;             // rows of images and texts can be compared
  bool fitted = false;                   // the encoder must be fitted first
  std::vector<std::size_t> fit_samples;  // on the captions of these
  std::int64_t seed = 0;                 // of captions
  LabelTold label_told = LabelTold::no;  // to the captioner
  ViewDraw views{};
  std::vector<StageRef> stages;
  Json config;  // resolved, of which the cache keeps what an entry was made of
  StageStorage storage;
  std::int64_t activation_limit = unlimited;     // bytes of one stage of activations
  std::int64_t decode_threads = usable_cores();  // that decode pictures ahead
  std::function<bool()> stopped;                 // asks for an early end
  std::function<void(std::string_view)> stage;   // a stage has to be computed
  // How far it is, of the samples that this trial lacked.
  std::function<void(std::string_view stage, std::size_t done, std::size_t all)> progress =
      [](std::string_view, std::size_t, std::size_t) {};
};

// What a person is told of an entry.
[[nodiscard]] Json about_stage(const StageRef& stage, const Json& config);

// Rows follow the samples or looks asked for. All processes that lack rows of one entry make them
// together (stage_filling.hpp); where rows cannot be stored, this object keeps them. Empty results
// mean that `stopped` said so.
class FeatureStages {
 public:
  explicit FeatureStages(FeatureInputs inputs);
  ~FeatureStages();

  [[nodiscard]] std::optional<FeatureTable> images(std::span<const Look> looks);
  [[nodiscard]] std::optional<FeatureTable> texts(std::span<const std::size_t> samples);
  [[nodiscard]] std::optional<std::vector<std::string>> captions(
      std::span<const std::size_t> samples);

  [[nodiscard]] const std::vector<std::string>& class_names() const {
    return inputs_.photos->class_names();
  }
  // Of every class, by its texts.
  [[nodiscard]] std::optional<ClassFeatures> classes(const ClassTexts& texts);

  // Weights of the encoder that gave the last features, 0 where it has none.
  [[nodiscard]] std::int64_t encoder_parameters() const noexcept { return encoder_parameters_; }
  // Whether nothing had to be computed, by stage.
  [[nodiscard]] const std::map<std::string, bool>& cached() const noexcept { return cached_; }

 private:
  using Samples = std::span<const std::size_t>;
  using Ids = std::span<const std::string>;
  using Rows = StageFilling<at::Tensor>;
  using Texts = StageFilling<std::vector<std::string>>;

  std::shared_ptr<StageEntry> entry(const std::string& stage);
  // Makes what is missing of a stage; false: stopped.
  template <class Value>
  bool fill(const std::string& stage, Ids ids, typename StageFilling<Value>::Steps steps);
  // Steps that end in rows of the encoder; compute(positions in ids) may begin at once.
  Rows::Steps row_steps(Ids ids,
                        const std::function<Rows::Compute(std::vector<std::size_t>)>& begin);
  FeatureTable stored(std::shared_ptr<const StageEntry> entry, Ids ids);
  [[nodiscard]] std::vector<std::string> ids_of(Samples samples) const;
  Encoder& encoder();
  bool fit_encoder();
  [[nodiscard]] std::shared_ptr<Captioner> checked_captioner() const;
  [[nodiscard]] std::vector<std::string> caption_batch(Samples samples);
  [[nodiscard]] std::shared_ptr<PixelBatches> loading(std::vector<Look> looks);
  [[nodiscard]] at::Tensor image_batch(const at::Tensor& pixels);
  [[nodiscard]] at::Tensor text_batch(const std::vector<std::string>& texts);
  [[nodiscard]] at::Tensor class_batch(const ClassTexts& texts);

  FeatureInputs inputs_;
  Pictures pictures_;
  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Captioner> captioner_;
  bool is_fitted_ = false;
  std::int64_t encoder_parameters_ = 0;
  double logit_scale_ = 1;
  std::map<std::string, bool> cached_;
  std::map<std::string, std::shared_ptr<StageEntry>> entries_;
};

}  // namespace espalier
