// What recorded cases and the conformance suite do not show of methods that insert modules.
#include <gmock/gmock.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>

#include "attached.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::Attached;
using testing_support::error_of;
using testing_support::make;

// Two maps with biases: w m + m and m w + w.
std::int64_t bottleneck_size(std::int64_t width, std::int64_t m) {
  return 2 * width * m + m + width;
}

std::int64_t expected_count(const AdaptableEncoder& encoder, std::int64_t adapters,
                            std::int64_t reduction) {
  std::int64_t sum = 0;
  for (const Tower* tower :
       {static_cast<const Tower*>(encoder.image()), static_cast<const Tower*>(encoder.text())}) {
    const std::int64_t width = tower->width();
    sum += tower->layers() * adapters * bottleneck_size(width, width / reduction);
  }
  return sum;
}

TEST(Bottlenecks, HaveTwoMapsWithBiasesABranch) {
  const Json params = {{"reduction_factor", 4}};
  const Attached houlsby("clip-tiny-gelu", "houlsby", params);
  EXPECT_EQ(houlsby.parameters.count(), expected_count(*houlsby.encoder, 2, 4));
  for (const char* use : {"pfeiffer", "parallel"}) {
    const Attached one("clip-tiny-gelu", use, params);
    EXPECT_EQ(one.parameters.count(), expected_count(*one.encoder, 1, 4)) << use;
  }
  const Attached adaptformer("clip-tiny-gelu", "adaptformer", {{"bottleneck", 3}});
  const VisionTower& image = *adaptformer.encoder->image();
  EXPECT_EQ(adaptformer.parameters.count(), image.layers() * bottleneck_size(image.width(), 3));
}

TEST(Bottlenecks, AreOneWideAtLeast) {
  const Attached narrow("clip-tiny-gelu", "pfeiffer", {{"reduction_factor", 65536}});
  EXPECT_EQ(narrow.parameters.entries().front().second.size(0), 1);
}

TEST(Bottlenecks, StartAsTheirPapersSay) {
  const auto down = [](const char* start) {
    const Attached method("clip-tiny-gelu", "houlsby",
                          {{"init_weights", start}, {"bottleneck", 512}});
    return method.parameters.entries().front().second.detach();
  };
  EXPECT_NEAR(down("bert").std().item<double>(), 0.02, 0.001);
  const at::Tensor houlsby = down("houlsby");
  EXPECT_LE(houlsby.abs().max().item<double>(), 0.02);
  EXPECT_NEAR(houlsby.std().item<double>(), 0.0088, 0.0005) << "0.01 without what is beyond 0.02";
}

// With the layers chosen, and the name of a layer before the adapter's.
TEST(Bottlenecks, AreNamedByTheirLayers) {
  const Attached one("bert-tiny", "houlsby", {{"layers_to_transform", {1}}});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : one.parameters.entries()) names.push_back(name);
  EXPECT_THAT(names, testing::Contains("encoder.layer.1.attention_adapter.down.weight"));
  EXPECT_THAT(names, testing::Contains("encoder.layer.1.mlp_adapter.up.bias"));
  EXPECT_EQ(names.size(), 8U);
}

TEST(Bottlenecks, RefuseModulesThatAreNoBranches) {
  EXPECT_THAT(error_of([] {
                Attached("clip-tiny-gelu", "parallel", {{"target_modules", {"q"}}});
              }),
              AllOf(HasSubstr("names a module that is not there"), HasSubstr("attention, mlp")));
}

// Patch embeddings with a bias and without, norms of heads, models without a projection.
TEST(Ssf, FoldsIntoEveryFamily) {
  for (const char* model : {"clip-tiny-gelu", "siglip-tiny", "dinov2-tiny", "vit-tiny"}) {
    Attached ssf(model, "ssf", Json::object());
    ssf.disturb();
    const auto hidden = [&] {
      const c10::NoGradGuard no_grad;
      const NamedTensors inputs = read_named_tensors(ssf.folder / "expected.safetensors");
      return forward(*ssf.encoder->image(), inputs.at("pixel_values")).feature;
    };
    const at::Tensor before = hidden();
    ssf.method->merge(*ssf.encoder);
    EXPECT_TRUE(hidden().allclose(before, 1e-4, 1e-4)) << model;
    for (const Site* site : ssf.encoder->sites()) EXPECT_FALSE(site->hooked()) << site->name;
  }
}

TEST(Ssf, KeepsAShiftThatNoWeightCanTake) {
  Attached ssf("clip-tiny-gelu", "ssf", {{"target_modules", {"projection"}}});
  EXPECT_THAT(error_of([&] { ssf.method->merge(*ssf.encoder); }),
              AllOf(HasSubstr("nowhere to be folded into"), HasSubstr("projection")));
}

TEST(Ssf, StartsNearTheIdentity) {
  const Attached ssf("clip-tiny-gelu", "ssf", Json::object());
  for (const auto& [name, tensor] : ssf.parameters.entries()) {
    const double centre = name.ends_with(".scale") ? 1 : 0;
    EXPECT_LT((tensor.detach() - centre).abs().max().item<double>(), 0.1) << name;
  }
}

TEST(Vpt, HasTokensOfTheWidthForOneLayerOrForAll) {
  for (const char* model : {"clip-tiny-gelu", "siglip-tiny", "dinov2-tiny", "vit-tiny"}) {
    const Attached shallow(model, "vpt", {{"num_tokens", 3}});
    const Attached deep(model, "vpt", {{"num_tokens", 3}, {"deep", true}});
    const VisionTower& tower = *shallow.encoder->image();
    EXPECT_EQ(shallow.parameters.count(), 3 * tower.width()) << model;
    EXPECT_EQ(deep.parameters.count(), 3 * tower.width() * tower.layers()) << model;
    const double bound = std::sqrt(
        6.0 / static_cast<double>(3 * tower.patch_size() * tower.patch_size() + tower.width()));
    EXPECT_LE(deep.parameters.tensors()[0].abs().max().item<double>(), bound) << model;
  }
}

TEST(Vpt, KeepsItsTokensInTheSequence) {
  for (const bool deep : {false, true}) {
    const Attached vpt("vit-tiny", "vpt", {{"num_tokens", 3}, {"deep", deep}});
    const at::Tensor pixels =
        read_named_tensors(vpt.folder / "expected.safetensors").at("pixel_values");
    const VisionTower& tower = *vpt.encoder->image();
    const at::Tensor before = tower.embed(pixels, {}).states;
    const at::Tensor after = forward(tower, pixels).last_hidden_state;
    EXPECT_EQ(after.size(1), before.size(1) + 3);
  }
}

TEST(Vpt, HasNothingToDoInATextTower) {
  EXPECT_EQ(Attached("bert-tiny", "vpt", Json::object()).parameters.count(), 0);
}

struct OwnAdapter {
  const char* use;
  Json params;
};
void PrintTo(const OwnAdapter& own, std::ostream* out) { *out << own.use; }

class OwnAdapters : public testing::TestWithParam<OwnAdapter> {};

// Every parameter is another than the default, so that one that is not written shows.
TEST_P(OwnAdapters, AreReadAsTheyWereWritten) {
  Attached trained("clip-tiny-gelu", GetParam().use, GetParam().params);
  trained.disturb();
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) /
      ("own_adapter_" + std::string(GetParam().use) + std::to_string(::getpid()));
  write_adapter(folder, {.config = trained.method->adapter_config(),
                         .tensors = trained.method->adapter_tensors(trained.parameters.entries())});
  const Attached read("clip-tiny-gelu", "hf", {{"path", folder.string()}}, 2);
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(read.features().equal(trained.features()));
  EXPECT_EQ(read.method->adapter_config(), trained.method->adapter_config());
}

INSTANTIATE_TEST_SUITE_P(
    Methods, OwnAdapters,
    testing::Values(
        OwnAdapter{"ssf",
                   {{"target_modules", {"q", "norm2", "projection"}},
                    {"towers", "text"},
                    {"modules_to_save", {"layers.0.mlp.fc2"}}}},
        OwnAdapter{"houlsby", {{"reduction_factor", 2}, {"non_linearity", "gelu"}}},
        OwnAdapter{"pfeiffer", {{"layers_to_transform", {1}}, {"scaling", 2.5}}},
        OwnAdapter{"parallel", {{"bottleneck", 3}, {"towers", "image"}}},
        OwnAdapter{"adaptformer", {{"bottleneck", 0}, {"reduction_factor", 4}, {"dropout", 0}}},
        OwnAdapter{
            "vpt",
            {{"num_tokens", 3}, {"deep", true}, {"dropout", 0.1}, {"before_pre_norm", true}}}),
    [](const auto& own) { return std::string(own.param.use); });

}  // namespace
}  // namespace espalier
