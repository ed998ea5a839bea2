#include <gmock/gmock.h>
#include <torch/script.h>
#include <unistd.h>

#include <espalier/core/file.hpp>
#include <espalier/plugin/encoder.hpp>

#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

class Torchscript : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }

  void save(const std::string& body) const {
    torch::jit::Module module("Model");
    module.define("def forward(self, x):\n  " + body + "\n");
    module.save(file_);
  }
  [[nodiscard]] std::shared_ptr<Encoder> encoder() const {
    return make<Encoder>("torchscript", {{"weights", file_},
                                         {"trusted", true},
                                         {"size", 8},
                                         {"mean", {0.0, 0.5, 0.0}},
                                         {"std", {1.0, 0.5, 1.0}}});
  }

  std::string file_ = (std::filesystem::temp_directory_path() /
                       ("espalier-script-" + std::to_string(::getpid()) + ".pt"))
                          .string();
};

// One colour stays that colour at every size: 51/255 = 0.2 and (102/255 - 0.5) / 0.5 = -0.2.
TEST_F(Torchscript, GetsPicturesResizedAndNormalised) {
  save("return x.mean([2, 3])");
  Image image{20, 10, {}};
  for (int i = 0; i < 200; ++i) image.rgb.insert(image.rgb.end(), {51, 102, 255});
  const std::vector<Image> images(17, image);
  const at::Tensor rows = encoder()->encode_images(images);
  ASSERT_EQ(rows.sizes().vec(), (std::vector<std::int64_t>{17, 3}));
  EXPECT_NEAR(rows[16][0].item<double>(), 0.2, 1e-6);
  EXPECT_NEAR(rows[16][1].item<double>(), -0.2, 1e-6);
  EXPECT_NEAR(rows[16][2].item<double>(), 1.0, 1e-6);
}

TEST_F(Torchscript, IsNotOpenedUnlessItIsTrusted) {
  save("return x.mean([2, 3])");
  EXPECT_THAT(error_of([&] {
                (void)make<Encoder>("torchscript", {{"weights", file_}});
              }),
              testing::AllOf(HasSubstr("holds code"), HasSubstr("trusted: true")));
}

TEST_F(Torchscript, IsRefusedWhenItGivesNoFeatures) {
  save("return x");
  EXPECT_THAT(error_of([&] { (void)encoder(); }), HasSubstr("gives no features"));
}

TEST_F(Torchscript, IsRefusedWhenItFails) {
  save("return x.view([3, 5])");
  EXPECT_THAT(error_of([&] { (void)encoder(); }), HasSubstr("fails on a picture"));
}

TEST_F(Torchscript, IsRefusedWhenItIsSomethingElse) {
  write_file(file_, "no archive");
  EXPECT_THAT(error_of([&] { (void)encoder(); }), HasSubstr("cannot be loaded"));
  write_file(file_, "");
  EXPECT_THAT(error_of([&] { (void)encoder(); }), HasSubstr("cannot be loaded"));
}

}  // namespace
}  // namespace espalier
