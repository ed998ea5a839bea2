#include "train/adapted_encoder.hpp"

#include "results/trial_result.hpp"
#include "train/activation_stage.hpp"
#include "train/class_source.hpp"
#include "train/component_call.hpp"
#include "train/cost.hpp"
#include "train/tower_source.hpp"
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/flops.hpp>
#include <map>
#include <utility>
#include <vector>

namespace espalier {
namespace {

AdaptableEncoder& model_of(Encoder& encoder, const std::string& name) {
  AdaptableEncoder* model = encoder.adaptable();
  if (model != nullptr) return *model;
  throw Error({.what = name + " declares sites and has none",
               .where = {},
               .expected = "adaptable() that answers",
               .found = "null",
               .fix = {}});
}

const Tower& tower_of(const AdaptableEncoder& model, TowerKind kind) {
  if (kind == TowerKind::image) return *model.image();
  return *model.text();
}

}  // namespace

bool reaches(const AdaptableEncoder& model, TowerKind kind) {
  const bool there = kind == TowerKind::image ? model.image() != nullptr : model.text() != nullptr;
  return there && model.cut(kind) < tower_of(model, kind).layers() + 2;
}

std::string towers_of(const AdaptableEncoder& model) {
  if (model.image() == nullptr) return "its text tower";
  return model.text() == nullptr ? "its image tower" : "both its towers";
}

bool attach_method(Peft& method, const std::string& method_name, AdaptableEncoder& looked_at,
                   std::int64_t seed, Parameters& parameters) {
  const TowerKind any = looked_at.image() ? TowerKind::image : TowerKind::text;
  const Parameters::Scope scope(parameters, "peft", tower_of(looked_at, any).device());
  Random random(seed, "peft");
  guarded(method_name, "attach", [&] { method.attach(looked_at, parameters, random); });
  const bool hooks =
      std::ranges::any_of(looked_at.sites(), [](const Site* site) { return site->hooked(); });
  return parameters.count() > 0 || hooks || reaches(looked_at, TowerKind::image) ||
         reaches(looked_at, TowerKind::text);
}

AdaptedEncoder::AdaptedEncoder(const TrialSetting& setting, const FeatureInputs& inputs,
                               const TrainParams& train, const Sources& looked_at)
    : setting_(setting),
      inputs_(inputs),
      pictures_(*inputs.photos, inputs.views, inputs.dataset_name, inputs.encoder_name),
      chunk_(train.chunk),
      stored_as_(train.activations == "float16" ? StoredAs::float16 : StoredAs::float32),
      encoder_(inputs.encoder()),
      model_(model_of(*encoder_, inputs.encoder_name)
                 .part({.images = looked_at.images != nullptr,
                        .texts = looked_at.texts != nullptr,
                        .classes = looked_at.classes != nullptr})),
      method_(setting.component<Peft>()) {}

AdaptedEncoder::~AdaptedEncoder() { model_->reset(); }

TokenLists AdaptedEncoder::tokens(std::span<const std::string> texts) const {
  return call_component(inputs_.encoder_name, "tokens", [&] { return encoder_->tokens(texts); });
}

void AdaptedEncoder::prepare(MethodInput input, const ClassTexts& prompts, std::size_t learnt) {
  for (std::size_t label = 0; label < prompts.size(); ++label) {
    auto& into = label < learnt ? input.class_tokens : input.new_class_tokens;
    into.push_back(tokens(prompts[label]));
  }
  if (!prompts.empty()) {
    input.tokens = [this](const std::string& text) { return tokens(std::span(&text, 1)).at(0); };
  }
  guarded(setting_.name_of("peft"), "prepare", [&] { method_->prepare(input); });
}

void AdaptedEncoder::conclude(const JudgedFeatures& val) {
  guarded(setting_.name_of("peft"), "conclude", [&] { method_->conclude(val); });
}

MethodInTraining AdaptedEncoder::in_training() const {
  return {*method_, setting_.name_of("peft")};
}

Json AdaptedEncoder::facts() const {
  return call_component(setting_.name_of("peft"), "facts", [&] { return method_->facts(); });
}

void AdaptedEncoder::attach(Parameters& parameters) {
  const std::string name = setting_.name_of("peft");
  const bool changes = attach_method(*method_, name, *model_, setting_.seed(), parameters);
  trains_ = parameters.count() > 0;
  reaches_images_ = reaches(*model_, TowerKind::image);
  if (changes) return;
  throw Error({.what = name + " has nothing to train in " + inputs_.encoder_name,
               .where = {},
               .expected = "sites or weights that the method asks for",
               .found = "none in what this trial looks at, " + towers_of(*model_),
               .fix = "other parameters of the method, or another use of the encoder: "
                      "nodes.fuse=image looks at pictures, head.use=prompts at texts"});
}

std::shared_ptr<const ActivationSource> AdaptedEncoder::below_cut(
    TowerKind kind, const std::string& family, std::shared_ptr<const ActivationSource> entering,
    std::span<const Look> looks, LookName name) {
  const auto ref = std::find_if(inputs_.stages.begin(), inputs_.stages.end(),
                                [&](const StageRef& stage) { return stage.name == family; });
  ESPALIER_ASSERT(ref != inputs_.stages.end(), "a family that the plan names");
  const ActivationStage stage{.family = *ref,
                              .entering = std::move(entering),
                              .name = std::move(name),
                              .type = stored_as_,
                              .budget = inputs_.activation_limit,
                              .settings = encoder_->settings(),
                              .about = about_stage(*ref, inputs_.config),
                              .computing = [this, &family] {
                                cached_ = false;
                                inputs_.stage(family);
                              }};
  const FillHooks hooks{.stopped = inputs_.stopped,
                        .progress = [this, &family](std::size_t done, std::size_t all) {
                          inputs_.progress(family, done, all);
                        }};
  return activations_at(tower_of(*model_, kind), model_->cut(kind), stage, looks, inputs_.storage,
                        hooks);
}

std::shared_ptr<const FeatureSource> AdaptedEncoder::tower_source(
    TowerKind kind, std::shared_ptr<const ActivationSource> below, std::span<const Look> looks) {
  if (!below) return nullptr;
  auto source = std::make_shared<TowerSource>(tower_of(*model_, kind), model_->cut(kind),
                                              std::move(below), chunk_);
  if (trains_) return source;
  const c10::NoGradGuard no_grad;
  return std::make_shared<FrozenSource>(FeatureTable(source->rows(looks, {})), looks);
}

std::shared_ptr<const ActivationSource> AdaptedEncoder::images_below_cut(
    std::span<const Look> looks) {
  const auto pixels = std::make_shared<PixelSource>(
      [this](const Look& look) { return pictures_.pixels(*encoder_, look); },
      inputs_.decode_threads);
  return below_cut(TowerKind::image, "image_activations", pixels, looks,
                   [this](const Look& look) { return pictures_.name(look); });
}

std::shared_ptr<const FeatureSource> AdaptedEncoder::images(std::span<const Look> looks) {
  return tower_source(TowerKind::image, images_below_cut(looks), looks);
}

// Each picture by itself: what is seen of it follows from it alone.
bool AdaptedEncoder::look_at(std::span<const std::int64_t> samples) {
  if (!reaches(*model_, TowerKind::image)) return true;
  const c10::NoGradGuard no_grad;
  const std::vector<Look> looks =
      plain_looks(std::vector<std::size_t>(samples.begin(), samples.end()));
  auto below = images_below_cut(looks);
  if (!below) return false;
  const TowerSource each(*model_->image(), model_->cut(TowerKind::image), std::move(below), 1);
  (void)each.rows(looks, {});
  return true;
}

bool AdaptedEncoder::join(const SampleGraph& graph) {
  bool seen = true;
  const auto look = [&] { return seen = seen && look_at(graph.nodes()); };
  guarded(setting_.name_of("peft"), "join", [&] { method_->join(*model_, graph, look); });
  return seen;
}

std::shared_ptr<const FeatureSource> AdaptedEncoder::texts(
    const std::map<std::size_t, std::string>& captions) {
  std::map<std::size_t, TokenLists> ids;
  std::vector<Look> looks;
  for (const auto& [sample, caption] : captions) {
    ids[sample] = tokens(std::span(&caption, 1));
    looks.push_back({.sample = sample});
  }
  const auto source = std::make_shared<IdSource>(*model_->text(), std::move(ids));
  auto below = below_cut(TowerKind::text, "text_activations", source, looks,
                         [this](const Look& look) { return inputs_.photos->id(look.sample); });
  return tower_source(TowerKind::text, std::move(below), looks);
}

std::shared_ptr<const FeatureSource> AdaptedEncoder::classes(const ClassTexts& prompts) {
  std::map<std::size_t, TokenLists> ids;
  std::vector<Look> looks;
  std::vector<std::int64_t> counts;
  for (const std::vector<std::string>& of_class : prompts) {
    const std::size_t label = counts.size();
    ids[label] = tokens(of_class);
    counts.push_back(std::ssize(of_class));
    for (std::int64_t text = 0; text < counts.back(); ++text) looks.push_back({label, text});
  }
  const auto source = std::make_shared<IdSource>(*model_->text(), std::move(ids));
  const auto name = [this](const Look& look) {
    return std::to_string(look.view) + " of class " + std::to_string(look.sample) + " " +
           inputs_.photos->class_names()[look.sample];
  };
  auto rows = tower_source(
      TowerKind::text, below_cut(TowerKind::text, "class_activations", source, looks, name), looks);
  if (!rows) return nullptr;
  return std::make_shared<TextClassSource>(std::move(rows), std::move(counts));
}

std::optional<Sources> AdaptedEncoder::sources(const TrialFeatures& frozen,
                                               std::span<const Look> looks,
                                               const ClassTexts& prompts) {
  Sources sources = frozen.sources;
  const auto take = [](std::shared_ptr<const FeatureSource>& into, auto made) {
    into = std::move(made);
    return into != nullptr;
  };
  if (reaches(*model_, TowerKind::image) && !take(sources.images, images(looks))) return {};
  if (reaches(*model_, TowerKind::text)) {
    const bool classes_alone = setting_.has("peft", "class_template");
    if (sources.texts && !classes_alone && !take(sources.texts, texts(frozen.captions))) return {};
    if (sources.classes && !take(sources.classes, classes(prompts))) return {};
  }
  const auto classifiers = model_->sites(SiteRole::classifier);
  if (std::ranges::any_of(classifiers, [](const Site* site) { return site->hooked(); })) {
    sources.classes = std::make_shared<ClassifierSource>(
        sources.classes, static_cast<std::int64_t>(sources.class_count), *model_);
  }
  return sources;
}

std::int64_t AdaptedEncoder::replaced() const {
  std::int64_t sum = 0;
  for (const WeightSlot& weight : model_->weights()) {
    if (!weight.slot->is_same(weight.frozen)) sum += weight.frozen.numel();
  }
  return sum;
}

Activations AdaptedEncoder::pixels(const Look& look) const {
  const at::Tensor picture = pictures_.pixels(*encoder_, look).unsqueeze(0);
  return {.states = picture.to(model_->image()->device()), .valid = {}, .pooled = {}};
}

double AdaptedEncoder::prefix_flops(const Look& look) const {
  if (!reaches_images_) return missing;
  const c10::NoGradGuard no_grad;
  const Tower& tower = *model_->image();
  const FlopCounter counter;
  (void)tower.advance(pixels(look), -1, model_->cut(TowerKind::image), {});
  return static_cast<double>(counter.count());
}

void AdaptedEncoder::measure_inference(const Look& look, TrialResult& result) {
  if (!reaches_images_) return;
  const Activations picture = pixels(look);
  const std::int64_t sample[] = {static_cast<std::int64_t>(look.sample)};
  Mode mode;
  mode.samples = sample;
  result.inference_seconds = inference_seconds(picture, mode);
  if (!setting_.has("peft", "mergeable")) return;
  guarded(setting_.name_of("peft"), "merge", [&] { method_->merge(*model_); });
  result.merged_inference_seconds = inference_seconds(picture, mode);
}

double AdaptedEncoder::inference_seconds(const Activations& picture, const Mode& mode) const {
  constexpr int most_runs = 10;
  constexpr double enough = 0.1;  // seconds
  const c10::NoGradGuard no_grad;
  const Tower& tower = *model_->image();
  const auto run = [&] {
    Cost cost;
    CostMeter meter;
    (void)tower.advance(picture, -1, tower.layers() + 2, mode);
    meter.add_to(cost, tower.device());
    return cost.seconds;
  };
  double sum = run();  // which reads weights that are mapped
  double fastest = run();
  for (int i = 2; i < most_runs && sum < enough; ++i) {
    const double seconds = run();
    sum += seconds;
    fastest = std::min(fastest, seconds);
  }
  return fastest;
}

}  // namespace espalier
