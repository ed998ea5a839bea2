// Sentences made from a dataset's own attributes, with a chosen share of wrong ones. docs/flora.md.
#include <espalier/dataset/flora.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Json;
using espalier::Random;

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
Json with_errors(Json facts, double rate, Random& random) {
  for (auto& [attribute, value] : facts.items()) {
    if (!value.is_string()) continue;
    const auto wrong = espalier::flora::alternatives(attribute, value.get<std::string>());
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

  espalier::Caption caption(const espalier::CaptionRequest& request) const override {
    Random random = request.random;
    const auto wording = static_cast<std::int64_t>(random.below(espalier::flora::wordings));
    const Json facts = with_errors(request.facts, params_.error_rate, random);
    return {espalier::flora::describe(facts, wording), "attributes"};
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(
    captioner, "attributes", 1, Attributes,
    "Describes a picture by the attributes that its dataset knows, with chosen errors",
    "text needs_attributes seeded")
