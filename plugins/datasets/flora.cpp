// Flowers painted on demand, embedded and seeded. docs/flora.md.
#include "datasets/flora/flora.hpp"
#include <cstdio>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/dataset.hpp>

namespace {

struct FloraParams {
  std::int64_t classes = 20;
  std::int64_t per_class = 40;
  std::int64_t size = 64;
  double difficulty = 0.5;
  std::int64_t seed = 1;
  std::string pool = "benchmark";
};

void bind(espalier::Schema<FloraParams>& s) {
  s.field("classes", &FloraParams::classes)
      .range(2, espalier::flora::max_species)
      .doc("Species; each four of a genus differ in one or two attributes");
  s.field("per_class", &FloraParams::per_class).range(1, 100000).doc("Pictures of each species");
  s.field("size", &FloraParams::size).range(16, 1024).doc("Side of the pictures in pixels");
  s.field("difficulty", &FloraParams::difficulty)
      .range(0, 1)
      .doc("How much pose, light, colour and surroundings vary");
  s.field("seed", &FloraParams::seed)
      .min(0)
      .doc("Of the pictures; the species are always the same");
  s.field("pool", &FloraParams::pool)
      .choices({"benchmark", "pretraining"})
      .doc("Which half of the colours, petal shapes and species");
}

class Flora final : public espalier::Dataset {
 public:
  using Params = FloraParams;

  Flora(const Params& params, const espalier::RunContext&)
      : params_(params), species_(espalier::flora::species(pool(), params.classes)) {
    for (std::int64_t label = 0; label < params.classes; ++label) {
      names_.push_back(species_[static_cast<std::size_t>(label)].name);
      for (std::int64_t number = 0; number < params.per_class; ++number) {
        char id[32];
        std::snprintf(id, sizeof id, "%03d/%05d", static_cast<int>(label),
                      static_cast<int>(number));
        samples_.push_back({id, label, espalier::Split::none});
      }
    }
  }

  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<espalier::Sample>& samples() const override { return samples_; }

  espalier::Image image(std::size_t index) const override {
    return espalier::flora::paint(species_of(index), scene(index), params_.size);
  }

  espalier::Json facts(std::size_t index) const override {
    espalier::Json all = espalier::flora::facts(species_of(index));
    all["background"] = espalier::flora::name(scene(index).background);
    return all;
  }

  const espalier::Wording* wording() const override { return &espalier::flora::wording(); }

  // A species in every wording.
  std::vector<std::string> class_texts(std::int64_t label) const override {
    const auto facts = espalier::flora::facts(species_.at(static_cast<std::size_t>(label)));
    std::vector<std::string> texts;
    for (std::int64_t way = 0; way < espalier::flora::wordings; ++way) {
      texts.push_back(espalier::flora::describe(facts, way));
    }
    return texts;
  }

 private:
  espalier::flora::Pool pool() const {
    return params_.pool == "benchmark" ? espalier::flora::Pool::benchmark
                                       : espalier::flora::Pool::pretraining;
  }

  const espalier::flora::Species& species_of(std::size_t index) const {
    return species_[static_cast<std::size_t>(samples_.at(index).label)];
  }

  espalier::flora::Scene scene(std::size_t index) const {
    espalier::Random random(params_.seed, "flora/" + params_.pool + "/" + samples_.at(index).id);
    return espalier::flora::draw_scene(params_.difficulty, random);
  }

  Params params_;
  std::vector<espalier::flora::Species> species_;
  std::vector<std::string> names_;
  std::vector<espalier::Sample> samples_;
};

}  // namespace

ESPALIER_COMPONENT(dataset, "flora", 1, Flora,
                   "Painted flowers whose species differ in few attributes, embedded and seeded",
                   "attributes")
