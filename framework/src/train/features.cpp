#include "train/features.hpp"

#include <c10/core/GradMode.h>

#include "caption/captions_of.hpp"
#include "train/component_call.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <espalier/nn/adaptable.hpp>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "feature_rows_internal.hpp"

namespace espalier {
namespace {

EncoderFacts facts_of(Encoder& encoder) {
  EncoderFacts facts{.logit_scale = encoder.logit_scale()};
  if (const AdaptableEncoder* model = encoder.adaptable()) {
    for (const WeightSlot& weight : model->weights()) facts.parameters += weight.frozen.numel();
  }
  return facts;
}

// A class is one sample of its stage.
std::vector<std::string> class_ids(const std::vector<std::string>& names) {
  std::vector<std::string> ids;
  for (const std::string& name : names) ids.push_back(std::to_string(ids.size()) + " " + name);
  return ids;
}

// Rows of a dataset, where they lie.
FeatureTable given_table(std::shared_ptr<const void> owner, const FeatureRows& from,
                         std::span<const std::size_t> samples) {
  std::vector<const std::byte*> rows;
  rows.reserve(samples.size());
  for (const std::size_t sample : samples) rows.push_back(std::as_bytes(from.row(sample)).data());
  return {std::move(owner), std::move(rows), from.width};
}

// Where ids stand in a list.
class Positions {
 public:
  explicit Positions(std::span<const std::string> ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) of_.try_emplace(ids[i], i);
  }
  [[nodiscard]] std::vector<std::size_t> of(std::span<const std::string> ids) const {
    std::vector<std::size_t> found;
    for (const std::string& id : ids) found.push_back(of_.at(id));
    return found;
  }

 private:
  std::unordered_map<std::string, std::size_t> of_;
};

}  // namespace

Json about_stage(const StageRef& stage, const Json& config) {
  const Json inputs = parse_json(stage.inputs, "stage " + stage.name);
  Json sections = Json::object();
  for (const char* name : {"dataset", "captioner", "encoder"}) {
    const bool through_captions = inputs.contains("captions") && config.contains(name);
    if (through_captions || inputs.contains(name)) sections[name] = config.at(name);
  }
  return {{"inputs", inputs}, {"config", sections}};
}

FeatureStages::FeatureStages(FeatureInputs inputs)
    : inputs_(std::move(inputs)),
      pictures_(*inputs_.photos, inputs_.views, inputs_.dataset_name, inputs_.encoder_name) {}
FeatureStages::~FeatureStages() = default;

std::shared_ptr<StageEntry> FeatureStages::entry(const std::string& stage) {
  std::shared_ptr<StageEntry>& made = entries_[stage];
  if (!made) {
    const auto ref = std::find_if(inputs_.stages.begin(), inputs_.stages.end(),
                                  [&](const StageRef& some) { return some.name == stage; });
    ESPALIER_ASSERT(ref != inputs_.stages.end(), "a stage that the plan names");
    made = std::make_shared<StageEntry>(inputs_.storage, ref->name, ref->key,
                                        about_stage(*ref, inputs_.config));
  }
  return made;
}

template <class Value>
bool FeatureStages::fill(const std::string& stage, Ids ids,
                         typename StageFilling<Value>::Steps steps) {
  cached_[stage] = false;
  inputs_.stage(stage);
  FillHooks hooks{.stopped = inputs_.stopped, .progress = [&](std::size_t done, std::size_t all) {
                    inputs_.progress(stage, done, all);
                  }};
  return StageFilling<Value>(*entry(stage), std::move(steps), std::move(hooks)).run(ids);
}

std::vector<std::string> FeatureStages::ids_of(Samples samples) const {
  std::vector<std::string> ids;
  for (const std::size_t sample : samples) ids.push_back(inputs_.photos->id(sample));
  return ids;
}

Encoder& FeatureStages::encoder() {
  if (!encoder_) encoder_ = inputs_.encoder();
  return *encoder_;
}

std::shared_ptr<Captioner> FeatureStages::checked_captioner() const {
  std::shared_ptr<Captioner> captioner = inputs_.captioner();
  guarded(inputs_.captioner_name, "check",
          [&] { inputs_.photos->check_captions(*captioner, inputs_.seed); });
  return captioner;
}

std::vector<std::string> FeatureStages::caption_batch(Samples samples) {
  if (!captioner_) captioner_ = checked_captioner();
  std::vector<CaptionRequest> requests;
  for (const std::size_t sample : samples) {
    requests.push_back(inputs_.photos->caption_request(sample, inputs_.seed, inputs_.label_told));
  }
  const std::vector<Caption> captions = captions_of(*captioner_, inputs_.captioner_name, requests);
  std::vector<std::string> texts;
  for (const Caption& caption : captions) texts.push_back(caption.text);
  return texts;
}

std::shared_ptr<PixelBatches> FeatureStages::loading(std::vector<Look> looks) {
  const std::int64_t count = std::ssize(looks);
  const std::int64_t threads = std::min(inputs_.decode_threads, count);
  return std::make_shared<PixelBatches>(
      std::move(looks), count, threads,
      [this, &encoder = encoder()](const Look& look) { return pictures_.pixels(encoder, look); });
}

at::Tensor FeatureStages::image_batch(const at::Tensor& pixels) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor rows = call_component(inputs_.encoder_name, "encode_pixels",
                                   [&] { return encoder().encode_pixels(pixels); });
  require_rows(inputs_.encoder_name, "encode_pixels", rows, pixels.size(0),
               encoder().image_width());
  return rows.cpu();
}

at::Tensor FeatureStages::text_batch(const std::vector<std::string>& texts) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor rows = call_component(inputs_.encoder_name, "encode_texts",
                                   [&] { return encoder().encode_texts(texts); });
  require_rows(inputs_.encoder_name, "encode_texts", rows, std::ssize(texts),
               encoder().text_width());
  return rows.cpu();
}

at::Tensor FeatureStages::class_batch(const ClassTexts& texts) {
  at::Tensor rows = call_component(inputs_.encoder_name, "encode_texts",
                                   [&] { return class_vectors(encoder(), texts); });
  require_rows(inputs_.encoder_name, "encode_texts", rows, std::ssize(texts),
               encoder().text_width());
  return rows;
}

bool FeatureStages::fit_encoder() {
  if (!inputs_.fitted || is_fitted_) return true;
  const auto texts = captions(inputs_.fit_samples);
  if (!texts) return false;
  guarded(inputs_.encoder_name, "fit", [&] { encoder().fit(*texts); });
  is_fitted_ = true;
  return true;
}

FeatureStages::Rows::Steps FeatureStages::row_steps(
    Ids ids, const std::function<Rows::Compute(std::vector<std::size_t>)>& begin) {
  return {
      .begin = [positions = Positions(ids), begin](Ids some) { return begin(positions.of(some)); },
      .add =
          [this](StageEntry& entry, Ids some, const std::vector<at::Tensor>& rows) {
            add_rows(entry, some, rows, facts_of(encoder()));
          },
      .bytes = [](const at::Tensor& rows) { return size_of(rows); }};
}

FeatureTable FeatureStages::stored(std::shared_ptr<const StageEntry> entry, Ids ids) {
  const EncoderFacts facts = facts_at(*entry->find(ids.front()).part);
  encoder_parameters_ = facts.parameters;
  logit_scale_ = facts.logit_scale;
  return stored_rows(std::move(entry), ids);
}

std::optional<FeatureTable> FeatureStages::images(std::span<const Look> looks) {
  if (inputs_.given) {
    std::vector<std::size_t> samples;
    for (const Look& look : looks) samples.push_back(look.sample);
    const auto given = inputs_.photos->features();
    return given_table(given, given->images, samples);
  }
  const auto rows = entry("image_features");
  std::vector<std::string> ids;
  for (const Look& look : looks) ids.push_back(pictures_.name(look));
  cached_.try_emplace("image_features", true);
  if (!rows->missing(ids).empty()) {
    rows->use(encoder().settings());
    const auto begin = [&](std::vector<std::size_t> positions) -> Rows::Compute {
      std::vector<Look> some;
      for (const std::size_t position : positions) some.push_back(looks[position]);
      return [this, loaded = loading(std::move(some))] { return image_batch(loaded->next()); };
    };
    if (!fill<at::Tensor>("image_features", ids, row_steps(ids, begin))) return std::nullopt;
  }
  return stored(rows, ids);
}

std::optional<std::vector<std::string>> FeatureStages::captions(Samples samples) {
  const StageEntry& entry = *this->entry("captions");
  const std::vector<std::string> ids = ids_of(samples);
  cached_.try_emplace("captions", true);
  if (!entry.missing(ids).empty()) {
    const Positions positions(ids);
    Texts::Steps steps;
    steps.begin = [&](Ids some) -> Texts::Compute {
      return [&, chosen = positions.of(some)] {
        std::vector<std::size_t> batch;
        for (const std::size_t position : chosen) batch.push_back(samples[position]);
        return caption_batch(batch);
      };
    };
    steps.add = [](StageEntry& to, Ids some, const std::vector<std::vector<std::string>>& slices) {
      std::vector<std::string> texts;
      for (const auto& list : slices) texts.insert(texts.end(), list.begin(), list.end());
      add_texts(to, some, texts);
    };
    steps.bytes = [](const std::vector<std::string>& texts) { return size_of(texts); };
    if (!fill<std::vector<std::string>>("captions", ids, std::move(steps))) return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const std::string& id : ids) {
    const StageEntry::Place place = entry.find(id);
    texts.push_back(text_at(*place.part, place.row));
  }
  return texts;
}

std::optional<FeatureTable> FeatureStages::texts(Samples samples) {
  if (inputs_.given) {
    const auto given = inputs_.photos->features();
    return given_table(given, given->texts, samples);
  }
  const auto rows = entry("text_features");
  const std::vector<std::string> ids = ids_of(samples);
  cached_.try_emplace("text_features", true);
  if (!rows->missing(ids).empty()) {
    const std::optional<std::vector<std::string>> all = captions(samples);
    if (!all || !fit_encoder()) return std::nullopt;
    rows->use(encoder().settings());
    const auto begin = [&](std::vector<std::size_t> positions) -> Rows::Compute {
      return [&, positions = std::move(positions)] {
        std::vector<std::string> some;
        for (const std::size_t position : positions) some.push_back((*all)[position]);
        return text_batch(some);
      };
    };
    if (!fill<at::Tensor>("text_features", ids, row_steps(ids, begin))) return std::nullopt;
  }
  return stored(rows, ids);
}

std::optional<ClassFeatures> FeatureStages::classes(const ClassTexts& texts) {
  if (inputs_.given) {
    const auto given = inputs_.photos->features();
    std::vector<std::size_t> labels(static_cast<std::size_t>(given->classes.count()));
    std::iota(labels.begin(), labels.end(), std::size_t{0});
    return ClassFeatures{.vectors = given_table(given, given->classes, labels).all(),
                         .logit_scale = given->logit_scale};
  }
  const auto rows = entry("class_features");
  const std::vector<std::string> ids = class_ids(inputs_.photos->class_names());
  cached_.try_emplace("class_features", true);
  if (!rows->missing(ids).empty()) {
    rows->use(encoder().settings());
    const auto begin = [&](std::vector<std::size_t> positions) -> Rows::Compute {
      return [&, positions = std::move(positions)] {
        ClassTexts some;
        for (const std::size_t label : positions) some.push_back(texts[label]);
        return class_batch(some);
      };
    };
    if (!fill<at::Tensor>("class_features", ids, row_steps(ids, begin))) return std::nullopt;
  }
  at::Tensor vectors = stored(rows, ids).all();
  return ClassFeatures{.vectors = std::move(vectors), .logit_scale = logit_scale_};
}

}  // namespace espalier
