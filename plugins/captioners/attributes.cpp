// Sentences made from a dataset's own attributes, with a chosen share of wrong ones.
// docs/captions.md.
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Json;
using espalier::Random;
using espalier::Wording;

struct AttributesParams {
  double error_rate = 0.0;
};

void bind(espalier::Schema<AttributesParams>& s) {
  s.field("error_rate", &AttributesParams::error_rate)
      .range(0, 1)
      .doc("Probability with which each attribute is replaced by a wrong one");
}

// Draws the same numbers whatever the rate, so that the errors at a lower rate are among those at a
// higher one.
Json with_errors(Json facts, const Wording& wording, double rate, Random& random) {
  for (auto& [attribute, value] : facts.items()) {
    if (!value.is_string()) continue;
    const auto wrong = wording.alternatives(attribute, value.get<std::string>());
    const double chance = random.uniform();
    if (wrong.empty()) continue;
    const std::size_t choice = random.below(wrong.size());
    if (chance < rate) value = wrong[choice];
  }
  return facts;
}

class Attributes final : public espalier::Captioner {
 public:
  using Params = AttributesParams;

  Attributes(const Params& params, const espalier::RunContext&) : params_(params) {}

  void check(std::span<const espalier::CaptionRequest> requests) const override {
    if (params_.error_rate == 0 || requests.empty()) return;
    for (const auto& [attribute, value] : requests[0].facts.items()) {
      if (value.is_string() &&
          !wording(requests[0]).alternatives(attribute, value.get<std::string>()).empty())
        return;
    }
    throw espalier::Error({.what = "the dataset cannot say what wrong attributes would be",
                           .where = "captioner.error_rate",
                           .expected = "0, or a dataset that knows the values of its attributes",
                           .found = espalier::Json(params_.error_rate).dump(),
                           .fix = {}});
  }

  espalier::Caption caption(const espalier::CaptionRequest& request) const override {
    const Wording& words = wording(request);
    Random random = request.random;
    const auto way =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(words.count())));
    const Json facts = with_errors(request.facts, words, params_.error_rate, random);
    return {words.describe(facts, way), "attributes"};
  }

  bool says_facts() const override { return true; }

 private:
  static const Wording& wording(const espalier::CaptionRequest& request) {
    return request.wording == nullptr ? espalier::plain_wording() : *request.wording;
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(
    captioner, "attributes", 1, Attributes,
    "Describes a picture by the attributes that its dataset knows, with chosen errors",
    "text needs_attributes seeded")
