#include "train/fusion.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <gmock/gmock.h>

#include <espalier/core/error.hpp>

#include "graph/golden.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;

at::Tensor images() { return golden::Case("gnn/graphs")["x"].slice(0, 0, 10); }
at::Tensor texts() { return golden::Case("gnn/graphs")["x"].slice(0, 10, 20).slice(1, 0, 6); }
at::Tensor twins() { return golden::Case("gnn/graphs")["x"].slice(0, 10, 20); }

Nodes fuse(const NodesParams& params, const Values& values, bool shared_space = false) {
  const auto width = [](const at::Tensor& x) { return x.defined() ? x.size(1) : 0; };
  const auto fusion =
      make_fusion(params, {width(values.images), width(values.texts)}, shared_space);
  const Nodes nodes = (*fusion)(values);
  EXPECT_EQ(nodes.x.size(1), fusion->width()) << params.fuse;
  EXPECT_EQ(nodes.views, fusion->views()) << params.fuse;
  return nodes;
}

TEST(Fusion, GivesEachNodeWhatItsModeSays) {
  const auto plain = [](const char* fuse) { return NodesParams{.fuse = fuse, .normalize = false}; };
  EXPECT_TRUE(fuse(plain("image"), {.images = images()}).x.equal(images()));
  EXPECT_TRUE(fuse(plain("text"), {.texts = texts()}).x.equal(texts()));
  const Nodes mean = fuse(plain("mean"), {.images = images(), .texts = twins()}, true);
  EXPECT_TRUE(mean.x.equal((images() + twins()) / 2));
  const Nodes concat = fuse(plain("concat"), {.images = images(), .texts = texts()});
  EXPECT_TRUE(concat.x.slice(1, 0, 16).equal(images()));
  EXPECT_TRUE(concat.x.slice(1, 16).equal(texts()));
  EXPECT_EQ(concat.samples(), 10);
}

TEST(Fusion, NormalizesEachModalityByItself) {
  const Nodes concat = fuse({.fuse = "concat"}, {.images = images() * 100, .texts = texts()});
  for (const at::Tensor& part : {concat.x.slice(1, 0, 16), concat.x.slice(1, 16)}) {
    const at::Tensor length = at::linalg_vector_norm(part, 2, at::IntArrayRef{1});
    EXPECT_LT((length - 1).abs().max().item<double>(), 1e-6);
  }
}

TEST(Fusion, HoldsOfClassesWhatItHoldsOfTexts) {
  const Values values{.images = images(), .texts = twins(), .classes = twins().slice(0, 0, 3) * 7};
  for (const char* fuse : {"image", "text", "mean", "bimodal"}) {
    const auto plain = make_fusion({.fuse = fuse, .normalize = false}, {16, 16}, true);
    EXPECT_TRUE(plain->of_classes(values).equal(values.classes)) << fuse;
    const at::Tensor unit = make_fusion({.fuse = fuse}, {16, 16}, true)->of_classes(values);
    EXPECT_LT((at::linalg_vector_norm(unit, 2, at::IntArrayRef{1}) - 1).abs().max().item<double>(),
              1e-6);
  }
}

TEST(Fusion, BimodalKeepsSpacesApartThatAreNotShared) {
  const Nodes apart = fuse({.fuse = "bimodal"}, {.images = images(), .texts = texts()});
  EXPECT_EQ(apart.views, 2);
  EXPECT_EQ(apart.samples(), 10);
  EXPECT_EQ(apart.x.size(1), 22);
  EXPECT_EQ(apart.view(0).matmul(apart.view(1).t()).abs().max().item<double>(), 0);
  const Nodes shared = fuse({.fuse = "bimodal"}, {.images = images(), .texts = twins()}, true);
  EXPECT_EQ(shared.x.size(1), 16);
}

TEST(Fusion, GivesBuildersWhatTheNodesDoNotHold) {
  const Values values{.images = images(), .texts = twins()};
  const auto others = [&](const char* fuse) {
    return make_fusion({.fuse = fuse, .normalize = false}, {16, 16}, true)->others(values);
  };
  EXPECT_TRUE(others("image").equal(twins()));
  EXPECT_TRUE(others("text").equal(images()));
  EXPECT_TRUE(others("mean").equal(twins()));
  EXPECT_TRUE(others("concat").equal(twins()));
  EXPECT_TRUE(others("bimodal").equal(at::cat({twins(), images()})));
}

TEST(Fusion, TakesTheClassOfABimodalSampleFromTheNodesThatAreAskedFor) {
  const Values values{.images = images(), .texts = twins()};
  const auto asked = [&](const char* predict) {
    const auto fusion =
        make_fusion({.fuse = "bimodal", .normalize = false, .predict = predict}, {16, 16}, true);
    return fusion->of_samples((*fusion)(values).x);
  };
  EXPECT_TRUE(asked("image").equal(images()));
  EXPECT_TRUE(asked("text").equal(twins()));
  EXPECT_LT((asked("both") - (images() + twins()) / 2).abs().max().item<double>(), 1e-7);
}

// W_out is zero until something is trained.
TEST(Fusion, CrossAttentionBeginsAsWhatAttends) {
  const Values values{.images = images(), .texts = texts()};
  for (const auto& [attend, begins] :
       {std::pair("image", "image"), std::pair("text", "text"), std::pair("both", "concat")}) {
    NodesParams params{.fuse = "cross_attention", .attend = attend, .tokens = 2, .heads = 2};
    const auto fusion = make_fusion(params, {16, 6}, false);
    const Nodes start = fusion->at_start(values);
    params.fuse = begins;
    const auto plain = make_fusion(params, {16, 6}, false);
    EXPECT_TRUE(start.x.equal((*plain)(values).x)) << attend;
    EXPECT_EQ(fusion->width(), plain->width());
    Parameters parameters;
    Random random(1, "fusion");
    fusion->init(parameters, random);
    EXPECT_TRUE((*fusion)(values).x.equal(start.x)) << attend;
    EXPECT_EQ(parameters.entries().size(), params.attend == "both" ? 16U : 8U);
    const at::Tensor& last = parameters.entries().back().second;
    last.data_ptr<float>()[0] = 1;
    EXPECT_FALSE((*fusion)(values).x.equal(start.x)) << attend;
    EXPECT_TRUE(fusion->at_start(values).x.equal(start.x)) << "graphs see nothing of it";
  }
}

TEST(Fusion, AMeanOfDifferentWidthsIsRefused) {
  EXPECT_THAT(error_of([] {
                (void)make_fusion({.fuse = "mean"}, {16, 6}, false);
              }),
              HasSubstr("16 and 6"));
}

}  // namespace
}  // namespace espalier
