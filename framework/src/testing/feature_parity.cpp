#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scalar_tensor.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <espalier/plugin/peft.hpp>
#include <string>

#include "feature_parity_internal.hpp"
#include "recorded_internal.hpp"
#include "toy_encoder_internal.hpp"

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;

constexpr double feature_tolerance = 1e-5;
constexpr double fit_tolerance = 1e-4;

// The section of the component that computes the case: in `component`, or by `method` and the
// `settings` of cases that share them.
Json section_of(const Json& meta) {
  if (meta.contains("component")) return meta.at("component");
  const std::string method = meta.at("method").get<std::string>();
  const Json& settings = meta.at("settings");
  if (method == "clip-adapter") {
    return {{"use", "clip_adapter"},
            {"ratio", settings.at("ratio")},
            {"reduction", settings.at("reduction")}};
  }
  if (method == "taskres") return {{"use", "taskres"}, {"alpha", settings.at("taskres_alpha")}};
  if (method == "linear-probe") return {{"use", "linear_probe"}, {"solver", "loop"}};
  if (method != "tip-adapter") {
    throw Error({.what = "no component computes this method",
                 .where = {},
                 .expected = {},
                 .found = method,
                 .fix = "espalier plugins list shows what there is"});
  }
  const Json& tip = settings.at("tip");
  return {{"use", "tip_adapter"},
          {"train_keys", true},
          {"alpha", tip.at("alpha")},
          {"beta", tip.at("beta")}};
}

// A method at the sites of an encoder, of which nothing but these sites is used.
struct AttachedMethod {
  AttachedMethod(const Json& section, std::unique_ptr<AdaptableEncoder> at, const Catalog& catalog,
                 const MethodInput& input)
      : encoder(std::move(at)), loader(catalog), context(loader, log) {
    method = loader.make<Peft>(section, context);
    if (catalog.has("peft", section, "needs_features")) method->prepare(input);
    Random random(std::int64_t{1}, "peft");
    method->attach(*encoder, parameters, random);
    own = parameters.entries();
    for (Parameters::Entry& buffer : method->buffers()) own.push_back(std::move(buffer));
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  spdlog::logger log{"parity"};
  Loader loader;
  LoaderContext context;
  std::shared_ptr<Peft> method;
  Parameters parameters;
  std::vector<Parameters::Entry> own;  // its parameters and buffers
};

class FeatureCase {
 public:
  FeatureCase(const fs::path& folder, const Json& meta, NamedTensors expected,
              const Catalog& catalog)
      : folder_(folder),
        meta_(meta),
        catalog_(catalog),
        expected_(std::move(expected)),
        recorded_(read_named_tensors(folder / "parameters.safetensors")),
        texts_(expected_["input.text_features"]),
        scale_(meta.at("logit_scale_exp").get<double>()),
        used_(section_of(meta), encoder(), catalog, input()) {
    for (const auto& [name, tensor] : used_.own) {
      expected_.compare("start." + name, tensor, feature_tolerance);
    }
    put_recorded();
  }

  std::vector<TensorDifference> run() {
    compare_outputs();
    compare_conclusion();
    if (expected_.has("fit.x")) compare_fit();
    return expected_.take_rows();
  }

 private:
  [[nodiscard]] std::unique_ptr<AdaptableEncoder> encoder() const {
    if (!meta_.contains("base")) return toy_encoder();
    return load_pretrained(folder_ / ".." / meta_.at("base").get<std::string>());
  }

  [[nodiscard]] at::Tensor zero_shot(const at::Tensor& features, const at::Tensor& texts) const {
    return at::matmul(unit_rows(features), unit_rows(texts).t()) * scale_;
  }

  [[nodiscard]] JudgedFeatures judged(const at::Tensor& features, const at::Tensor& labels) const {
    return {.features = features,
            .logits = zero_shot(features, texts_),
            .labels = labels.to(at::kLong)};
  }

  // Cases that do not say what was learned from have it among their parameters.
  [[nodiscard]] JudgedFeatures support() const {
    if (expected_.has("support.features")) {
      return judged(expected_["support.features"], expected_["support.labels"]);
    }
    if (expected_.has("values")) {
      return judged(recorded_.at("keys"), at::argmax(expected_["values"], 1));
    }
    return judged(expected_["input.image_features"], expected_["input.labels"]);
  }

  [[nodiscard]] JudgedFeatures val() const {
    if (expected_.has("val.features")) {
      return judged(expected_["val.features"], expected_["val.labels"]);
    }
    return judged(at::empty({0, texts_.size(1)}), at::empty({0}, at::kLong));
  }

  [[nodiscard]] MethodInput input() const {
    return {.train = support(),
            .views = meta_.value("views", std::int64_t{1}),
            .val = val(),
            .classes = texts_,
            .logit_scale = scale_,
            .class_tokens = {},
            .tokens = {}};
  }

  // Those of its tensors that the case has, which are all that are trained.
  void put_recorded() {
    std::vector<Parameters::Entry> into;
    for (const Parameters::Entry& entry : used_.own) {
      const bool trained = entry.second.requires_grad();
      if (trained || recorded_.contains(entry.first)) into.push_back(entry);
    }
    copy_tensors({recorded_.begin(), recorded_.end()}, into, folder_.string());
  }

  [[nodiscard]] at::Tensor logits() {
    const AdaptableEncoder& encoder = *used_.encoder;
    at::Tensor features = expected_["input.image_features"];
    for (const Site* site : encoder.sites(SiteRole::feature)) {
      if (site->tower == TowerKind::image) features = site->enter(features, {});
    }
    const at::Tensor classes = encoder.classify(texts_, {});
    const at::Tensor before = zero_shot(features, classes);
    expected_.compare("on.image_features", features, feature_tolerance);
    expected_.compare("on.text_features", classes, feature_tolerance);
    expected_.compare("on.zero_shot_logits", before, feature_tolerance);
    return encoder.score(features, before, {});
  }

  void compare_outputs() {
    const at::Tensor now = logits();
    expected_.compare("on.logits", now, feature_tolerance);
    const at::Tensor of_unit = used_.encoder->classify(unit_rows(texts_), {});
    expected_.compare("on.logits_from_normalised_text",
                      zero_shot(expected_["input.image_features"], of_unit), feature_tolerance);
    at::Tensor loss = at::cross_entropy_loss(now, expected_["input.labels"].to(at::kLong));
    const at::Tensor penalty = used_.method->penalty();
    expected_.compare("penalty", penalty, feature_tolerance);
    if (penalty.defined()) loss = loss + penalty;
    expected_.compare("loss", loss, feature_tolerance);
    if (loss.requires_grad()) loss.backward();
    for (const auto& [name, tensor] : used_.parameters.entries()) {
      expected_.compare("grad." + name, tensor.grad(), feature_tolerance);
    }
  }

  void compare_conclusion() {
    if (expected_.has("concluded.logits")) {
      used_.method->conclude(val());
      expected_.compare("concluded.logits", logits(), feature_tolerance);
    }
    const Json facts = used_.method->facts();
    for (const auto& [name, value] : facts.items()) {
      if (!value.is_number()) continue;
      expected_.compare("fact." + name, at::scalar_tensor(value.get<double>()), feature_tolerance);
    }
  }

  void compare_fit() {
    const Json section = {{"use", "linear_probe"}, {"C", meta_.at("settings").at("probe").at("C")}};
    MethodInput learned = input();
    learned.train = judged(expected_["fit.x"], expected_["fit.y"]);
    const AttachedMethod fitted(section, toy_encoder(), catalog_, learned);
    for (const auto& [name, tensor] : fitted.own) {
      expected_.compare("fit." + name, tensor, fit_tolerance);
    }
  }

  fs::path folder_;
  const Json& meta_;
  const Catalog& catalog_;
  Recorded expected_;
  NamedTensors recorded_;
  at::Tensor texts_;
  double scale_;
  AttachedMethod used_;
};

}  // namespace

bool is_feature_case(const NamedTensors& expected) {
  return expected.contains("input.image_features");
}

std::vector<TensorDifference> feature_parity(const fs::path& folder, const Json& meta,
                                             NamedTensors expected, const Catalog& catalog) {
  return FeatureCase(folder, meta, std::move(expected), catalog).run();
}

}  // namespace espalier::conformance
