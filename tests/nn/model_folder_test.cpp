// Model folders as people have them: written by other versions, by other programs, or in halves.
#include <gmock/gmock.h>

#include <limits>

#include "nn/model_copies.hpp"

namespace espalier {
namespace {

using namespace testing_support;
using testing::AllOf;
using testing::HasSubstr;

struct ModelFolder : testing::Test {
  cases::CaseCopy copy{cases::encoder_case("clip-tiny-gelu")};
};

// CLIPConfig fills `vision_config_dict` up with its class's defaults and lays all of it over
// `vision_config`.
TEST_F(ModelFolder, TakesAWholeSectionFromTheOlderName) {
  edit_config(copy.folder(), [](Json& config) {
    config["vision_config_dict"] = config["vision_config"];
    config["vision_config"] = {{"patch_size", 999}, {"hidden_size", 8}};
  });
  EXPECT_EQ(text_of(problems_of(copy.folder())), "");
  edit_config(copy.folder(), [](Json& config) {
    std::swap(config["vision_config"], config["vision_config_dict"]);
    config["vision_config_dict"] = {{"patch_size", 8}};
  });
  EXPECT_THAT(text_of(problems_of(copy.folder())), HasSubstr("[768"));
}

TEST_F(ModelFolder, ReadsWhatPythonWritesAndJsonDoesNotKnow) {
  const std::string text = read_file(copy / "config.json");
  const auto with = [&](const std::string& members) {
    write_file(copy / "config.json",
               "\xEF\xBB\xBF" + text.substr(0, text.rfind('}')) + members + "}");
    return text_of(problems_of(copy.folder()));
  };
  EXPECT_EQ(with(R"(, "initializer_range": NaN, "more": [Infinity, -Infinity, "NaN \" NaN"])"), "");
  EXPECT_THAT(with(R"(, "vision_config_dict": {"layer_norm_eps": NaN})"),
              AllOf(HasSubstr("layer_norm_eps"), HasSubstr("\"NaN\"")));
}

TEST_F(ModelFolder, TakesSidesThatAreWrittenAsPairs) {
  edit_config(copy.folder(), [](Json& config) {
    for (const char* key : {"image_size", "patch_size"}) {
      Json& side = config["vision_config"][key];
      side = {side, side};
    }
  });
  EXPECT_EQ(text_of(problems_of(copy.folder())), "");
  edit_config(copy.folder(), [](Json& config) { config["vision_config"]["image_size"][1] = 64; });
  EXPECT_THAT(text_of(problems_of(copy.folder())),
              AllOf(HasSubstr("image_size"), HasSubstr("two that are equal")));
}

TEST_F(ModelFolder, RefusesNumbersThatNoModelHas) {
  edit_config(copy.folder(), [](Json& config) {
    config["vision_config"]["num_hidden_layers"] = std::int64_t{1} << 60;
    config["vision_config"]["image_size"] = 1e300;
    config["vision_config"]["intermediate_size"] = std::numeric_limits<std::uint64_t>::max();
    config["text_config"]["vocab_size"] = 1'000'000'000;
    config["text_config"]["max_position_embeddings"] = -77;
    config["text_config"]["layer_norm_eps"] = -1;
  });
  EXPECT_EQ(problems_of(copy.folder()).size(), 6u);
}

TEST_F(ModelFolder, SaysThatGitLfsLeftAPointer) {
  write_file(copy / "model.safetensors",
             "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 605157884\n");
  EXPECT_THAT(text_of(problems_of(copy.folder())),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("git lfs pull")));
}

struct Half {
  const char* folder;
  const char* projection;
  const char* prefix;
  const char* architecture;
};

class ClipHalf : public testing::TestWithParam<Half> {
 protected:
  cases::CaseCopy copy_{cases::encoder_case(GetParam().folder)};
};

// As CLIPTextModel and CLIPVisionModel save themselves: Transformers 4 with the prefix, 5 without.
TEST_P(ClipHalf, GivesThePooledStateWithoutAProjection) {
  const Half half = GetParam();
  edit_config(copy_.folder(), [&](Json& config) { config["architectures"] = {half.architecture}; });
  edit_weights(copy_.folder(), [&](NamedTensors& tensors) { tensors.erase(half.projection); });
  const NamedTensors inputs = read_named_tensors(copy_ / "expected.safetensors");
  const NamedTensors with = run_on_tensors(*load_pretrained(copy_.folder()), inputs, false);
  const std::string name = inputs.contains("pixel_values") ? "image_embeds_raw" : "text_embeds_raw";
  EXPECT_TRUE(with.at(name).equal(with.at("pooler_output")));
  EXPECT_EQ(with.at(name).size(1), 32);

  edit_weights(copy_.folder(), [&](NamedTensors& tensors) {
    NamedTensors bare;
    for (const auto& [key, tensor] : tensors) {
      bare[key.substr(std::string(half.prefix).size())] = tensor;
    }
    tensors = bare;
  });
  const NamedTensors without = run_on_tensors(*load_pretrained(copy_.folder()), inputs, false);
  EXPECT_TRUE(without.at(name).equal(with.at(name)));
}

TEST_P(ClipHalf, MissesAProjectionThatItsClassHas) {
  edit_weights(copy_.folder(), [](NamedTensors& tensors) { tensors.erase(GetParam().projection); });
  EXPECT_THAT(text_of(problems_of(copy_.folder())),
              AllOf(HasSubstr(GetParam().projection), HasSubstr("is missing")));
}

INSTANTIATE_TEST_SUITE_P(Clip, ClipHalf,
                         testing::Values(Half{"clip-text-tiny", "text_projection.weight",
                                              "text_model.", "CLIPTextModel"},
                                         Half{"clip-vision-tiny", "visual_projection.weight",
                                              "vision_model.", "CLIPVisionModel"}),
                         [](const auto& one) { return std::string(one.param.architecture); });

TEST(SentenceFolder, RefusesADecoderThatLooksAtAnotherModel) {
  const cases::CaseCopy copy(cases::encoder_case("bert-decoder-tiny"));
  edit_config(copy.folder(), [](Json& config) { config["add_cross_attention"] = true; });
  EXPECT_THAT(text_of(problems_of(copy.folder())), HasSubstr("add_cross_attention"));
}

TEST(SentenceFolder, FindsTheTransformerOfASentenceEncoderInItsFolder) {
  const cases::CaseCopy copy(cases::encoder_case("bert-tiny"));
  std::filesystem::create_directory(copy / "0_Transformer");
  for (const char* name : {"config.json", "model.safetensors"}) {
    std::filesystem::rename(copy / name, copy / "0_Transformer" / name);
  }
  write_file(copy / "config.json", R"({"__version__": "0.2.4"})");
  Json modules = parse_json(read_file(copy / "modules.json"), "modules.json");
  modules[0]["path"] = "0_Transformer";
  write_file(copy / "modules.json", modules.dump());
  EXPECT_EQ(text_of(problems_of(copy.folder())), "");
}

}  // namespace
}  // namespace espalier
