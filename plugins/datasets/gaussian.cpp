// Features drawn around a centre for each class: for sweeps over graphs that need neither photos
// nor an encoder, with a difficulty that is known.
#include <cmath>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/dataset.hpp>

namespace {

struct GaussianParams {
  std::int64_t classes = 20;
  std::int64_t per_class = 60;
  std::int64_t width = 512;
  double noise = 2.0;
  double class_noise = 0.5;
  std::int64_t seed = 1;
};

void bind(espalier::Schema<GaussianParams>& s) {
  s.field("classes", &GaussianParams::classes).range(2, 10000).doc("Number of classes");
  s.field("per_class", &GaussianParams::per_class).range(1, 100000).doc("Samples a class");
  s.field("width", &GaussianParams::width).range(2, 65536).doc("Numbers a sample");
  s.field("noise", &GaussianParams::noise)
      .range(0, 1000)
      .doc("Expected length of what is added to the centre of its class, which has length 1");
  s.field("class_noise", &GaussianParams::class_noise)
      .range(0, 1000)
      .doc("The same of class features, which head=prompts compares with");
  s.field("seed", &GaussianParams::seed).min(0).doc("Seed of all draws");
  s.check("classes * per_class * width <= 2000000000", "these are more than 8 GB of features");
}

class Gaussian final : public espalier::Dataset {
 public:
  using Params = GaussianParams;

  Gaussian(const Params& params, const espalier::RunContext&) : params_(params) {
    const auto width = static_cast<std::size_t>(params.width);
    const auto rows = static_cast<std::size_t>(params.classes * params.per_class);
    images_.reserve(rows * width);
    for (std::int64_t label = 0; label < params.classes; ++label) draw_class(label);
    features_ = {.images = {.values = images_, .width = params.width},
                 .texts = {},
                 .classes = {.values = classes_, .width = params.width}};
  }

  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<espalier::Sample>& samples() const override { return samples_; }
  const espalier::GivenFeatures* features() const override { return &features_; }
  espalier::Image image(std::size_t index) const override {
    throw espalier::Error({.what = "a drawn sample has features and no picture",
                           .where = "dataset/gaussian",
                           .expected = "somebody who needs none",
                           .found = samples_.at(index).id,
                           .fix = {}});
  }

 private:
  void draw_class(std::int64_t label) {
    char name[48];
    std::snprintf(name, sizeof name, "%04lld", static_cast<long long>(label));
    names_.emplace_back(name);
    espalier::Random random(params_.seed, "gaussian/" + names_.back());
    std::vector<double> centre(static_cast<std::size_t>(params_.width));
    double square = 0;
    for (double& value : centre) {
      value = random.normal();
      square += value * value;
    }
    for (double& value : centre) value /= std::sqrt(square);
    append(centre, params_.class_noise, random, classes_);
    for (std::int64_t i = 0; i < params_.per_class; ++i) {
      std::snprintf(name, sizeof name, "%04lld/%05lld", static_cast<long long>(label),
                    static_cast<long long>(i));
      samples_.push_back({name, label, espalier::Split::none});
      append(centre, params_.noise, random, images_);
    }
  }

  void append(const std::vector<double>& centre, double noise, espalier::Random& random,
              std::vector<float>& rows) const {
    const double scale = noise / std::sqrt(static_cast<double>(params_.width));
    for (const double value : centre) {
      rows.push_back(static_cast<float>(value + scale * random.normal()));
    }
  }

  Params params_;
  std::vector<std::string> names_;
  std::vector<espalier::Sample> samples_;
  std::vector<float> images_;
  std::vector<float> classes_;
  espalier::GivenFeatures features_;
};

}  // namespace

ESPALIER_COMPONENT(dataset, "gaussian", 1, Gaussian,
                   "Features drawn around a centre for each class, seeded, without pictures",
                   "features")
