#include "train/features.hpp"

#include <c10/core/GradMode.h>

#include "train/component_call.hpp"
#include <algorithm>
#include <chrono>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <espalier/nn/adaptable.hpp>
#include <numeric>
#include <utility>

#include "feature_rows_internal.hpp"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
using Samples = std::span<const std::size_t>;

constexpr std::int64_t batch = 64;
constexpr double first_part_seconds = 30;
// A part may take this share of the time spent so far, so that there are never many.
constexpr double growth = 0.25;

EncoderFacts facts_of(Encoder& encoder) {
  EncoderFacts facts{.logit_scale = encoder.logit_scale()};
  if (const AdaptableEncoder* model = encoder.adaptable()) {
    for (const WeightSlot& weight : model->weights()) facts.parameters += weight.frozen.numel();
  }
  return facts;
}

// What a person is told of an entry.
Json about(const StageRef& stage, const Json& config) {
  const Json inputs = parse_json(stage.inputs, "stage " + stage.name);
  Json sections = Json::object();
  for (const char* name : {"dataset", "captioner", "encoder"}) {
    const bool through_captions = inputs.contains("captions") && config.contains(name);
    if (through_captions || inputs.contains(name)) sections[name] = config.at(name);
  }
  return {{"inputs", inputs}, {"config", sections}};
}

}  // namespace

// Fills one entry of the cache, batch after batch.
class FeatureStages::Parts {
 public:
  Parts(FeatureStages& owner, const StageRef& stage)
      : owner_(owner),
        stage_(stage.name),
        entry_(owner.inputs_.storage, stage.name, stage.key, about(stage, owner.inputs_.config)) {}

  [[nodiscard]] const StageEntry& entry() const { return entry_; }

  // Makes what is missing. begin(samples) gives what then is called for batch after batch of these
  // and gives one value each; store(entry, samples, values) writes those of several batches. False:
  // stopped.
  template <class Begin, class Store>
  bool fill(Samples samples, const Begin& begin, const Store& store) {
    owner_.cached_.try_emplace(stage_, true);
    if (entry_.missing(samples).empty()) return true;
    StageEntry::Lock lock(entry_, [&] { return !owner_.inputs_.stopped(); });
    if (lock.given_up()) return false;
    const std::vector<std::size_t> absent = entry_.missing(samples);
    if (absent.empty()) return true;
    owner_.cached_[stage_] = false;
    owner_.inputs_.stage(stage_);
    return work(absent, begin(Samples(absent)), store, lock);
  }

 private:
  template <class Compute, class Store>
  bool work(Samples absent, const Compute& compute, const Store& store, StageEntry::Lock& lock) {
    const Clock::time_point start = Clock::now();
    Clock::time_point last = start;
    std::vector<decltype(compute(absent))> values;
    std::size_t stored = 0;
    for (std::size_t at = 0; at < absent.size(); at += batch) {
      const std::size_t end = std::min<std::size_t>(at + batch, absent.size());
      const bool stopped = owner_.inputs_.stopped();
      if (!stopped) values.push_back(compute(absent.subspan(at, end - at)));
      if (at == 0 && !stopped && !has_room(values.front(), end, absent.size())) lock.release();
      const std::size_t done = stopped ? at : end;
      if (stopped || done == absent.size() || due(start, last)) {
        if (done > stored) store(entry_, absent.subspan(stored, done - stored), values);
        values.clear();
        stored = done;
        last = Clock::now();
      }
      if (stopped) return false;
    }
    return true;
  }

  // For all, judged by the first.
  template <class Value>
  bool has_room(const Value& first, std::size_t samples, std::size_t all) {
    const double share = static_cast<double>(size_of(first)) / static_cast<double>(samples);
    return entry_.expect(static_cast<std::int64_t>(share * static_cast<double>(all)));
  }

  static bool due(Clock::time_point start, Clock::time_point last) {
    const Clock::time_point now = Clock::now();
    const std::chrono::duration<double> since = now - last;
    const std::chrono::duration<double> total = now - start;
    return since.count() > std::max(first_part_seconds, growth * total.count());
  }

  FeatureStages& owner_;
  std::string stage_;
  StageEntry entry_;
};

FeatureStages::FeatureStages(FeatureInputs inputs) : inputs_(std::move(inputs)) {}
FeatureStages::~FeatureStages() = default;

FeatureStages::Parts& FeatureStages::parts(const std::string& stage) {
  std::unique_ptr<Parts>& made = parts_[stage];
  if (!made) {
    const auto ref = std::find_if(inputs_.stages.begin(), inputs_.stages.end(),
                                  [&](const StageRef& some) { return some.name == stage; });
    ESPALIER_ASSERT(ref != inputs_.stages.end(), "a stage that the plan names");
    made = std::make_unique<Parts>(*this, *ref);
  }
  return *made;
}

Encoder& FeatureStages::encoder() {
  if (!encoder_) encoder_ = inputs_.encoder();
  return *encoder_;
}

std::shared_ptr<Captioner> FeatureStages::checked_captioner() const {
  std::shared_ptr<Captioner> captioner = inputs_.captioner();
  guarded(inputs_.captioner_name, "check",
          [&] { check_captions(*captioner, *inputs_.dataset, inputs_.seed); });
  return captioner;
}

std::vector<std::string> FeatureStages::caption_batch(Samples samples) {
  if (!captioner_) captioner_ = checked_captioner();
  std::vector<std::string> texts;
  for (const std::size_t sample : samples) {
    const CaptionRequest request = caption_request(*inputs_.dataset, sample, inputs_.seed);
    texts.push_back(
        call_component(inputs_.captioner_name, "caption of " + std::string(request.id), [&] {
          return captioner_->caption(request);
        }).text);
  }
  return texts;
}

std::shared_ptr<PixelBatches> FeatureStages::loading(Samples samples) {
  const auto make = [this, &encoder = encoder()](std::size_t sample) {
    const std::string operation = "image of " + inputs_.dataset->samples()[sample].id;
    const Image image = call_component(inputs_.dataset_name, operation,
                                       [&] { return inputs_.dataset->image(sample); });
    return call_component(inputs_.encoder_name, "pixels", [&] { return encoder.pixels(image); });
  };
  return std::make_shared<PixelBatches>(std::vector(samples.begin(), samples.end()), batch,
                                        inputs_.decode_threads, make);
}

at::Tensor FeatureStages::image_batch(const at::Tensor& pixels) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor rows = call_component(inputs_.encoder_name, "encode_pixels",
                                   [&] { return encoder().encode_pixels(pixels); });
  require_rows(inputs_.encoder_name, "encode_pixels", rows, pixels.size(0),
               encoder().image_width());
  return rows.cpu();
}

at::Tensor FeatureStages::text_batch(Samples samples,
                                     const std::map<std::size_t, std::string>& text_of) {
  const c10::AutoGradMode no_grad(false);
  std::vector<std::string> texts;
  for (const std::size_t sample : samples) texts.push_back(text_of.at(sample));
  at::Tensor rows = call_component(inputs_.encoder_name, "encode_texts",
                                   [&] { return encoder().encode_texts(texts); });
  require_rows(inputs_.encoder_name, "encode_texts", rows, static_cast<std::int64_t>(texts.size()),
               encoder().text_width());
  return rows.cpu();
}

bool FeatureStages::fit_encoder() {
  if (!inputs_.fitted || is_fitted_) return true;
  const auto texts = captions(inputs_.fit_samples);
  if (!texts) return false;
  guarded(inputs_.encoder_name, "fit", [&] { encoder().fit(*texts); });
  is_fitted_ = true;
  return true;
}

FeatureStages::RowStore FeatureStages::row_store() {
  return [this](StageEntry& entry, Samples samples, const std::vector<at::Tensor>& rows) {
    add_rows(entry, samples, rows, facts_of(encoder()));
  };
}

at::Tensor FeatureStages::gathered(const StageEntry& entry, Samples samples) {
  const EncoderFacts facts = facts_at(*entry.find(samples.front()).part);
  encoder_parameters_ = facts.parameters;
  logit_scale_ = facts.logit_scale;
  return gather_rows(entry, samples);
}

std::optional<at::Tensor> FeatureStages::images(Samples samples) {
  Parts& rows = parts("image_features");
  const auto begin = [&](Samples absent) {
    return [this, batches = loading(absent)](Samples) { return image_batch(batches->next()); };
  };
  if (!rows.fill(samples, begin, row_store())) return std::nullopt;
  return gathered(rows.entry(), samples);
}

std::optional<std::vector<std::string>> FeatureStages::captions(Samples samples) {
  Parts& rows = parts("captions");
  const auto store = [](StageEntry& entry, Samples some,
                        const std::vector<std::vector<std::string>>& batches) {
    std::vector<std::string> texts;
    for (const auto& list : batches) texts.insert(texts.end(), list.begin(), list.end());
    add_texts(entry, some, texts);
  };
  const auto begin = [&](Samples) { return [this](Samples some) { return caption_batch(some); }; };
  if (!rows.fill(samples, begin, store)) return std::nullopt;
  std::vector<std::string> texts;
  for (const std::size_t sample : samples) {
    const StageEntry::Place place = rows.entry().find(sample);
    texts.push_back(text_at(*place.part, place.row));
  }
  return texts;
}

std::optional<at::Tensor> FeatureStages::texts(Samples samples) {
  Parts& rows = parts("text_features");
  if (rows.entry().missing(samples).empty()) {
    cached_.try_emplace("text_features", true);
    return gathered(rows.entry(), samples);
  }
  const std::optional<std::vector<std::string>> all = captions(samples);
  if (!all || !fit_encoder()) return std::nullopt;
  std::map<std::size_t, std::string> text_of;
  for (std::size_t i = 0; i < samples.size(); ++i) text_of[samples[i]] = (*all)[i];
  const auto begin = [&](Samples) {
    return [&](Samples some) { return text_batch(some, text_of); };
  };
  if (!rows.fill(samples, begin, row_store())) return std::nullopt;
  return gathered(rows.entry(), samples);
}

at::Tensor FeatureStages::class_batch(Samples classes, const ClassTexts& texts) {
  ClassTexts some;
  for (const std::size_t label : classes) some.push_back(texts[label]);
  at::Tensor rows = call_component(inputs_.encoder_name, "encode_texts",
                                   [&] { return class_vectors(encoder(), some); });
  require_rows(inputs_.encoder_name, "encode_texts", rows, static_cast<std::int64_t>(some.size()),
               encoder().text_width());
  return rows;
}

std::optional<ClassFeatures> FeatureStages::classes(const ClassTexts& texts) {
  std::vector<std::size_t> labels(texts.size());
  std::iota(labels.begin(), labels.end(), std::size_t{0});
  Parts& rows = parts("class_features");
  const auto begin = [&](Samples) {
    return [&](Samples some) { return class_batch(some, texts); };
  };
  if (!rows.fill(labels, begin, row_store())) return std::nullopt;
  at::Tensor vectors = gathered(rows.entry(), labels);
  return ClassFeatures{.vectors = std::move(vectors), .logit_scale = logit_scale_};
}

}  // namespace espalier
