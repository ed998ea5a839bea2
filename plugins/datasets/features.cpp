// Features that somebody else's encoder made, with their labels. docs/features.md.
#include "datasets/features/checked.hpp"
#include <spdlog/logger.h>

#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct FeaturesParams {
  espalier::ContentPath file;
  bool apart = false;
};

void bind(espalier::Schema<FeaturesParams>& s) {
  s.field("file", &FeaturesParams::file)
      .required()
      .doc("HDF5 or safetensors, as espalier encode --out writes it");
  s.field("apart", &FeaturesParams::apart)
      .doc("Whether image and text features are of two models, so that none are compared");
}

class Features final : public espalier::Dataset {
 public:
  using Params = FeaturesParams;

  Features(const Params& params, const espalier::RunContext& context)
      : file_(espalier::resolve_path(params.file.text)),
        data_(espalier::given::checked(file_, espalier::given::read_content(file_), params.apart)) {
    for (const std::string& warning : data_.warnings) context.log().warn("{}", warning);
  }

  const std::vector<std::string>& class_names() const override { return data_.class_names; }
  const std::vector<espalier::Sample>& samples() const override { return data_.samples; }

  espalier::Image image(std::size_t index) const override {
    throw espalier::Error({.what = "a sample has features and no picture",
                           .where = file_.string(),
                           .expected = "somebody who needs none",
                           .found = samples().at(index).id,
                           .fix = {}});
  }
  const espalier::GivenFeatures* features() const override { return &data_.features; }

  espalier::Json facts(std::size_t index) const override {
    return {{"caption", data_.captions.empty() ? "" : data_.captions.at(index)}};
  }

 private:
  std::filesystem::path file_;
  espalier::given::Checked data_;
};

}  // namespace

ESPALIER_COMPONENT(dataset, "features", 1, Features,
                   "Features of your own with their labels, from HDF5 or safetensors",
                   "captions features")
