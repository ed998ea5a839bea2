// Captions of another captioner, made worse in a known way. docs/captions.md.
#include <spdlog/logger.h>

#include <algorithm>
#include <cmath>
#include <espalier/caption/attribute_noise.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::AttributeError;
using espalier::AttributeNoise;
using espalier::CaptionRequest;
using espalier::ComponentRef;
using espalier::Json;
using espalier::Random;
using espalier::Wording;

struct NoisyParams {
  ComponentRef of{.use = "attributes", .params = {}};
  std::string kind = "swap";
  double rate = 0.2;
  double clustering = 0.0;
  std::string sentence = "A photo.";
  double name_error = 0.0;
};

void bind(espalier::Schema<NoisyParams>& s) {
  s.field("of", &NoisyParams::of)
      .kind("captioner")
      .required()
      .doc("The captioner whose captions are made worse");
  s.field("kind", &NoisyParams::kind)
      .choices({"swap", "drop", "insert", "generic", "shuffle", "shuffle_within", "shuffle_across",
                "empty", "name"})
      .only_if("rate > 0")
      .doc(
          "What goes wrong: attributes are exchanged, dropped or added, or the whole caption is "
          "another one or none");
  s.field("rate", &NoisyParams::rate)
      .range(0, 1)
      .doc("Probability with which that happens to an attribute, or to a caption");
  s.field("clustering", &NoisyParams::clustering)
      .range(0, 100)
      .only_if("kind in ['swap', 'drop', 'insert'] and rate > 0 and rate < 1")
      .doc(
          "How unequal the rates of pictures are: they follow Beta(rate / clustering, (1 - rate) / "
          "clustering); 0 for one rate");
  s.field("sentence", &NoisyParams::sentence)
      .only_if("kind == 'generic' and rate > 0")
      .doc("The sentence that says nothing");
  s.field("name_error", &NoisyParams::name_error)
      .range(0, 1)
      .only_if("kind == 'name' and rate > 0")
      .doc("Share of the names that are those of another class");
}

constexpr AttributeError errors[] = {AttributeError::swap, AttributeError::drop,
                                     AttributeError::insert};
constexpr std::string_view error_names[] = {"swap", "drop", "insert"};

const Wording& wording_of(const CaptionRequest& request) {
  return request.wording == nullptr ? espalier::plain_wording() : *request.wording;
}

// Draws of this kind alone: the captioner inside draws what it would draw without.
Random own_random(const CaptionRequest& request, const std::string& kind) {
  Random given = request.random;
  return Random(static_cast<std::int64_t>(given.bits()), "noise:" + kind);
}

class Noisy final : public espalier::Captioner {
 public:
  using Params = NoisyParams;

  Noisy(const Params& params, const espalier::RunContext& context)
      : params_(params), of_(context.make<espalier::Captioner>(params.of)), log_(context.log()) {}

  void check(std::span<const CaptionRequest> requests) const override {
    of_->check(requests);
    const bool attributes = error() != nullptr && params_.rate > 0 && !requests.empty();
    if (!attributes) return;
    if (!of_->says_facts()) return say_rate_of_captions(requests);
    const std::size_t count = changeable(requests[0]);
    if (count == 0) refuse();
    const double wrong = 1 - std::pow(1 - params_.rate, static_cast<double>(count));
    log_.info("{} of {:.3g} of {} attributes: {:.3g} of the captions are wrong{}", params_.kind,
              params_.rate, count, wrong,
              params_.clustering > 0 ? ", fewer where the errors cluster" : "");
  }

  espalier::Caption caption(const CaptionRequest& request) const override {
    Random random = own_random(request, params_.kind);
    const double chance = random.uniform();
    if (error() != nullptr) return with_wrong_attributes(request, chance, random);
    if (chance >= params_.rate) return of_->caption(request);
    if (params_.kind == "generic") return {params_.sentence, "noisy"};
    if (params_.kind == "empty") return {"", "noisy"};
    if (params_.kind == "name") return with_name(request, random);
    return of_->caption(another(request, random));
  }

  bool says_facts() const override { return of_->says_facts(); }

 private:
  [[nodiscard]] const AttributeError* error() const {
    for (std::size_t i = 0; i < std::size(errors); ++i) {
      if (params_.kind == error_names[i]) return &errors[i];
    }
    return nullptr;
  }

  [[nodiscard]] std::size_t changeable(const CaptionRequest& request) const {
    std::size_t count = 0;
    for (const auto& [attribute, value] : request.facts.items()) {
      if (!value.is_string()) continue;
      count += params_.kind == "drop" ||
               !wording_of(request).alternatives(attribute, value.get<std::string>()).empty();
    }
    return count;
  }

  [[noreturn]] void refuse() const {
    throw espalier::Error({.what = "the dataset cannot say what wrong attributes would be",
                           .where = "captioner.kind",
                           .expected = "a dataset that knows the values of its attributes",
                           .found = params_.kind,
                           .fix = "generic, shuffle, empty and name need none"});
  }

  void say_rate_of_captions(std::span<const CaptionRequest> requests) const {
    log_.info(
        "{} of {:.3g} of the words for colours, numbers, sizes, shapes and textures in {} captions",
        params_.kind, params_.rate, requests.size());
  }

  [[nodiscard]] espalier::Caption with_wrong_attributes(const CaptionRequest& request,
                                                        double quantile, Random& random) const {
    const AttributeNoise noise{
        *error(), espalier::clustered_rate(params_.rate, params_.clustering, quantile)};
    if (!of_->says_facts()) {
      espalier::Caption caption = of_->caption(request);
      caption.text = noise.in_text(caption.text, random);
      return caption;
    }
    CaptionRequest worse = request;
    Json inserted;
    worse.facts = noise.in_facts(request.facts, wording_of(request), random, inserted);
    espalier::Caption caption = of_->caption(worse);
    if (!inserted.empty()) caption.text += " " + espalier::plain_wording().describe(inserted, 0);
    return caption;
  }

  // Of another picture, drawn until the class is as asked for.
  [[nodiscard]] CaptionRequest another(const CaptionRequest& request, Random& random) const {
    if (params_.kind != "shuffle") require_label(request);
    constexpr int tries = 10000;
    for (int i = 0; request.samples > 1 && i < tries; ++i) {
      CaptionRequest other = request.of(random.below(request.samples));
      const bool same = other.label == request.label;
      const bool fits = params_.kind == "shuffle" || same == (params_.kind == "shuffle_within");
      if (fits && other.id != request.id) return other;
    }
    throw espalier::Error({.what = "there is no other picture whose caption could be taken",
                           .where = std::string(request.id),
                           .expected = "two pictures or more of what captioner.kind asks for",
                           .found = std::to_string(request.samples) + " pictures",
                           .fix = {}});
  }

  [[nodiscard]] espalier::Caption with_name(const CaptionRequest& request, Random& random) const {
    require_label(request);
    auto label = static_cast<std::size_t>(request.label);
    const bool wrong = random.uniform() < params_.name_error;
    const std::size_t classes = request.class_names.size();
    if (wrong && classes > 1) label = (label + 1 + random.below(classes - 1)) % classes;
    espalier::Caption caption = of_->caption(request);
    std::string name = request.class_names[label];
    std::replace(name.begin(), name.end(), '_', ' ');
    caption.text += std::string(caption.text.empty() ? "" : " ") + "It is a " + name + ".";
    return caption;
  }

  static void require_label(const CaptionRequest& request) {
    if (request.label >= 0) return;
    throw espalier::Error(
        {.what = "a caption cannot be made wrong by its class",
         .where = std::string(request.id),
         .expected = "a label, which captions are written without",
         .found = {},
         .fix = "captioner.kind: shuffle, generic, swap, drop and insert need none"});
  }

  Params params_;
  std::shared_ptr<espalier::Captioner> of_;
  spdlog::logger& log_;
};

}  // namespace

ESPALIER_COMPONENT(captioner, "noisy", 1, Noisy,
                   "Captions of another captioner, made worse in a known way",
                   "seeded needs_label wraps:of")
