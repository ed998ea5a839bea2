#include <espalier/testing/conformance.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/encoder.hpp>

#include "nn/cases.hpp"
#include "testing/toy_component.hpp"

// Encoders that are right but for one thing, and the property that must notice.
namespace espalier::broken_encoders {
namespace {

using conformance::Finding;
using conformance::State;
using testing_support::expect_violation;
using testing_support::find;

// The tiny CLIP, whose texts have their length as a token.
class Right : public Encoder {
 public:
  Right() : model_(load_pretrained(cases::encoder_case("clip-tiny-gelu"))) {}

  [[nodiscard]] std::int64_t image_width() const override {
    return model_->image()->feature_width();
  }
  [[nodiscard]] std::int64_t text_width() const override { return model_->text()->feature_width(); }
  [[nodiscard]] at::Tensor pixels(const Image& image) const override {
    const std::int64_t side = model_->image()->image_size();
    const auto at = [&](std::size_t i) { return image.rgb[i % image.rgb.size()] / 255.0F; };
    return (at::tensor({at(0), at(100), at(200)}) - 0.5F).view({3, 1, 1}).expand({3, side, side});
  }
  [[nodiscard]] at::Tensor encode_pixels(const at::Tensor& pixels) const override {
    return image_features(*model_->image(), pixels);
  }
  [[nodiscard]] at::Tensor encode_texts(std::span<const std::string> texts) const override {
    return text_features(*model_->text(), Right::tokens(texts));
  }
  [[nodiscard]] TokenLists tokens(std::span<const std::string> texts) const override {
    TokenLists lists;
    const std::int64_t last = model_->text()->vocabulary() - 1;
    for (const std::string& text : texts) lists.push_back({std::ssize(text) % last, last});
    return lists;
  }
  [[nodiscard]] AdaptableEncoder* adaptable() override { return model_.get(); }

 protected:
  std::unique_ptr<AdaptableEncoder> model_;
};

class ViewsOfAnotherShape : public Right {
  at::Tensor view(const Image& image, const ViewOptions&, Random&) const override {
    return pixels(image).slice(1, 1);
  }
};

class DrawsFromTheGlobalGenerator : public Right {
  at::Tensor view(const Image& image, const ViewOptions&, Random&) const override {
    return pixels(image) + at::rand({1});
  }
};

class IgnoresTheGenerator : public Right {
  at::Tensor view(const Image& image, const ViewOptions&, Random&) const override {
    return pixels(image);
  }
};

class NormalisesAfterThePixels : public Right {
  at::Tensor encode_pixels(const at::Tensor& pixels) const override {
    return Right::encode_pixels(pixels * 2);
  }
};

class ForgetsAToken : public Right {
  TokenLists tokens(std::span<const std::string> texts) const override {
    TokenLists lists = Right::tokens(texts);
    for (auto& list : lists) list.erase(list.begin());
    return lists;
  }
};

// The tower of another encoder, but for the position that it names.
class PointsAtTheLastPosition : public VisionTower {
 public:
  explicit PointsAtTheLastPosition(const VisionTower& right)
      : VisionTower(right.layers(), right.feature_width(), right.image_size(), right.patch_size()),
        right_(right) {}

  [[nodiscard]] std::int64_t width() const override { return right_.width(); }
  [[nodiscard]] at::Device device() const override { return right_.device(); }
  [[nodiscard]] at::ScalarType dtype() const override { return right_.dtype(); }
  [[nodiscard]] Activations embed(const at::Tensor& pixels, const Mode& mode) const override {
    return right_.embed(pixels, mode);
  }
  [[nodiscard]] at::Tensor feature_positions(const Activations& of) const override {
    return at::full({of.states.size(0)}, of.states.size(1) - 1, at::kLong);
  }

 private:
  [[nodiscard]] at::Tensor run_layers(const Activations& input, std::int64_t from, std::int64_t to,
                                      const Mode& mode,
                                      const at::Tensor& positions) const override {
    return at_positions(right_.run(input, from, to, mode).states, positions);
  }
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    return right_.head(output, mode);
  }
  void collect_below(std::vector<Site*>&) override {}

  const VisionTower& right_;
};

class NamesAnotherPosition : public Right {
 public:
  [[nodiscard]] AdaptableEncoder* adaptable() override { return &other_; }

 private:
  AdaptableEncoder other_{std::make_unique<PointsAtTheLastPosition>(*model_->image()), nullptr};
};

const std::vector<std::string> all_of_encoder = {"image", "text", "shared_space", "sites"};

TEST(EncoderConformance, HoldsForARightEncoder) {
  for (const std::string property :
       {"declared_towers", "pixels_of_one_shape", "drawn_views", "towers_give_the_features",
        "names_the_positions_of_the_feature", "empty_batches", "repeatable"}) {
    const Finding finding = find<Right>(property, all_of_encoder);
    EXPECT_EQ(finding.state, State::holds) << property << ": " << finding.message;
  }
}

TEST(EncoderConformance, NoticesWhatIsWrongWithViews) {
  expect_violation<ViewsOfAnotherShape>("drawn_views", all_of_encoder, "where pixels() gives");
  expect_violation<DrawsFromTheGlobalGenerator>("drawn_views", all_of_encoder, "something else");
  expect_violation<IgnoresTheGenerator>("drawn_views", all_of_encoder, "is the same");
}

TEST(EncoderConformance, NoticesTowersThatGiveOtherFeatures) {
  expect_violation<NormalisesAfterThePixels>("towers_give_the_features", all_of_encoder,
                                             "pixels() through");
  expect_violation<ForgetsAToken>("towers_give_the_features", all_of_encoder, "tokens() through");
  expect_violation<NamesAnotherPosition>("names_the_positions_of_the_feature", all_of_encoder,
                                         "depends on other positions");
}

}  // namespace
}  // namespace espalier::broken_encoders
