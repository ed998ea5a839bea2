#include <espalier/nn/pretrained.hpp>

#include <gmock/gmock.h>

#include <ATen/ops/full.h>

#include <limits>

#include "nn/model_copies.hpp"

namespace espalier {
namespace {

using namespace testing_support;
using testing::AllOf;
using testing::HasSubstr;

struct Clip : testing::Test {
  cases::CaseCopy copy{cases::encoder_case("clip-tiny-gelu")};
};
using PretrainedClip = Clip;

TEST_F(PretrainedClip, SaysEverythingThatIsWrongWithItsTensorsAtOnce) {
  edit_weights(copy.folder(), [](NamedTensors& tensors) {
    tensors["vision_model.pre_layernorm.weight"] = tensors.at("vision_model.pre_layrnorm.weight");
    tensors.erase("vision_model.pre_layrnorm.weight");
    tensors["text_projection.weight"] = tensors.at("text_projection.weight").t();
    tensors["visual_projection.weight"][3][5] = std::numeric_limits<double>::quiet_NaN();
    tensors["logit_scale"] = at::full({}, 3, at::kLong);
  });
  const auto problems = problems_of(copy.folder());
  EXPECT_EQ(problems.size(), 5u);
  EXPECT_THAT(text_of(problems),
              AllOf(HasSubstr("\"vision_model.pre_layrnorm.weight\" is missing"),
                    HasSubstr("the nearest name is \"vision_model.pre_layernorm.weight\""),
                    HasSubstr("\"vision_model.pre_layernorm.weight\" belongs to nothing"),
                    HasSubstr("\"text_projection.weight\" has another shape"),
                    HasSubstr("[24, 20]"), HasSubstr("\"visual_projection.weight\" holds NaN"),
                    HasSubstr("\"logit_scale\" holds no floating-point numbers")));
}

TEST_F(PretrainedClip, CountsWhatItDoesNotList) {
  edit_weights(copy.folder(), [](NamedTensors& tensors) {
    for (int i = 0; i < 40; ++i) tensors["extra." + std::to_string(i)] = at::full({1}, 1.0);
  });
  const auto problems = problems_of(copy.folder());
  EXPECT_EQ(problems.size(), 21u);
  EXPECT_EQ(problems.back().what, "20 more tensors are superfluous");
}

TEST_F(PretrainedClip, NoticesSizesThatDoNotFitTheWeights) {
  edit_config(copy.folder(), [](Json& config) {
    config["vision_config"]["num_hidden_layers"] = 2;
    config["text_config"]["vocab_size"] = 999;
  });
  EXPECT_THAT(text_of(problems_of(copy.folder())),
              AllOf(HasSubstr("vision_model.encoder.layers.2.mlp.fc1.weight\" belongs to nothing"),
                    HasSubstr("[999, 24]"), HasSubstr("[1000, 24]")));
}

TEST_F(PretrainedClip, SaysEverythingThatIsWrongWithItsConfigurationAtOnce) {
  edit_config(copy.folder(), [](Json& config) {
    config["projection_dim"] = "many";
    config["vision_config"]["num_attention_heads"] = 7;
    config["vision_config"]["hidden_act"] = "swish7";
    config["text_config"]["hidden_size"] = -3;
    config["text_config"]["layer_norm_eps"] = nullptr;  // as absent
  });
  const auto problems = problems_of(copy.folder());
  EXPECT_EQ(problems.size(), 4u);
  EXPECT_THAT(text_of(problems), AllOf(HasSubstr("projection_dim"), HasSubstr("a divisor of 40"),
                                       HasSubstr("swish7"), HasSubstr("-3")));
}

TEST_F(PretrainedClip, FillsInWhatPublishedConfigurationsLeaveOut) {
  edit_config(copy.folder(), [](Json& config) {
    config["text_config"].erase("max_position_embeddings");
    config["vision_config"].erase("num_channels");
  });
  EXPECT_EQ(text_of(problems_of(copy.folder())), "");
}

TEST_F(PretrainedClip, PoolsAtTheLargestIdWhereTheConfigurationHasTheOldEnd) {
  edit_config(copy.folder(), [](Json& config) { config["text_config"]["eos_token_id"] = 2; });
  const auto encoder = load_pretrained(copy.folder());
  const std::vector<std::int64_t> ids = {997, 5, 999, 998, 998};
  EXPECT_EQ(encoder->text()->pooled_position(ids), 2);
  const auto other = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  EXPECT_EQ(other->text()->pooled_position(ids), 3);
}

TEST_F(PretrainedClip, IgnoresBuffersThatOldCheckpointsHold) {
  edit_weights(copy.folder(), [](NamedTensors& tensors) {
    tensors["text_model.embeddings.position_ids"] = at::full({1, 77}, 0, at::kLong);
  });
  EXPECT_EQ(text_of(problems_of(copy.folder())), "");
}

TEST_F(PretrainedClip, RefusesAnotherArchitecture) {
  EXPECT_THAT(text_of(problems_of(copy.folder(), {{"siglip"}, "cpu", "float32"})),
              AllOf(HasSubstr("another architecture"), HasSubstr("use encoder/clip")));
  edit_config(copy.folder(), [](Json& config) { config["model_type"] = "llama"; });
  EXPECT_THAT(text_of(problems_of(copy.folder())), HasSubstr("TorchScript"));
  edit_config(copy.folder(), [](Json& config) { config.erase("model_type"); });
  EXPECT_THAT(text_of(problems_of(copy.folder())), HasSubstr("no `model_type`"));
}

TEST_F(PretrainedClip, SaysHowToConvertAPickle) {
  std::filesystem::rename(copy / "model.safetensors", copy / "pytorch_model.bin");
  EXPECT_THAT(text_of(problems_of(copy.folder())),
              AllOf(HasSubstr("pickle"), HasSubstr("save_pretrained")));
}

TEST_F(PretrainedClip, ReportsConfigurationAndWeightsTogether) {
  std::filesystem::remove(copy / "model.safetensors");
  write_file(copy / "config.json", "{\"model_type\": ");
  const std::string text = text_of(problems_of(copy.folder()));
  EXPECT_THAT(text, AllOf(HasSubstr("config.json"), HasSubstr("model.safetensors")));
}

TEST_F(PretrainedClip, SurvivesTruncationAndFlippedBytes) {
  for (const char* name : {"config.json", "model.safetensors"}) {
    const std::string whole = read_file(copy / name);
    for (std::size_t i = 0; i < 20; ++i) {
      write_file(copy / name, whole.substr(0, whole.size() * i / 20));
      EXPECT_FALSE(problems_of(copy.folder()).empty()) << name << " cut at " << i;
      std::string flipped = whole;
      flipped[flipped.size() * i / 20] ^= 0x40;
      write_file(copy / name, flipped);
      (void)problems_of(
          copy.folder());  // a changed weight may go unnoticed; nothing else may happen
    }
    write_file(copy / name, whole);
  }
}

TEST(Pretrained, RefusesWhatIsNoFolder) {
  const cases::CaseCopy copy(cases::encoder_case("vit-tiny"));
  EXPECT_THAT(text_of(problems_of(copy / "config.json")), HasSubstr("a model is a folder"));
  EXPECT_THAT(text_of(problems_of(copy / "absent")), HasSubstr("nothing"));
  std::filesystem::remove(copy / "config.json");
  std::filesystem::create_directory(copy / "config.json");
  EXPECT_FALSE(problems_of(copy.folder()).empty());
}

TEST(Pretrained, TakesTheTowerOutOfATaskModel) {
  const cases::CaseCopy copy(cases::encoder_case("vit-tiny"));
  edit_weights(copy.folder(), [](NamedTensors& tensors) {
    NamedTensors renamed;
    for (const auto& [name, tensor] : tensors) {
      if (!name.starts_with("pooler.")) renamed["vit." + name] = tensor;
    }
    renamed["classifier.weight"] = at::full({10, 48}, 1.0);
    renamed["classifier.bias"] = at::full({10}, 1.0);
    tensors = renamed;
  });
  EXPECT_EQ(text_of(problems_of(copy.folder())), "");
}

TEST(Pretrained, ReadsTheNamesOfEarlyBert) {
  const cases::CaseCopy copy(cases::encoder_case("bert-tiny"));
  edit_weights(copy.folder(), [](NamedTensors& tensors) {
    NamedTensors renamed;
    for (const auto& [name, tensor] : tensors) {
      std::string old = name;
      if (name.ends_with("LayerNorm.weight")) old.replace(old.size() - 6, 6, "gamma");
      if (name.ends_with("LayerNorm.bias")) old.replace(old.size() - 4, 4, "beta");
      renamed["bert." + old] = tensor;
    }
    renamed["cls.predictions.bias"] = at::full({3000}, 0.0);
    tensors = renamed;
  });
  EXPECT_EQ(text_of(problems_of(copy.folder())), "");
}

TEST(Pretrained, ReadsPoolingFromTheModulesOfASentenceEncoder) {
  const cases::CaseCopy copy(cases::encoder_case("bert-tiny"));
  const auto pooling = [&](const std::string& text) {
    write_file(copy / "1_Pooling/config.json", text);
    return problems_of(copy.folder());
  };
  EXPECT_TRUE(pooling(R"({"pooling_mode_cls_token": true})").empty());
  EXPECT_TRUE(pooling(R"({"word_embedding_dimension": 48})").empty());
  EXPECT_TRUE(pooling(R"({"pooling_mode": "max"})").empty());
  EXPECT_THAT(text_of(pooling(R"({"pooling_mode_lasttoken": true})")), HasSubstr("lasttoken"));
  EXPECT_THAT(
      text_of(pooling(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})")),
      HasSubstr("cls"));
  write_file(copy / "modules.json",
             R"([{"idx": 0, "path": "../../etc", "type": "a.models.Pooling"},
                 {"idx": 1, "path": "2_Dense", "type": "a.models.Dense"}])");
  EXPECT_THAT(text_of(problems_of(copy.folder())),
              AllOf(HasSubstr("leads out of the folder"), HasSubstr("a.models.Dense")));
}

TEST(Pretrained, KeepsFloat32WeightsInTheFilesMapping) {
  const auto encoder = load_pretrained(cases::encoder_case("vit-tiny"));
  const auto file = read_named_tensors(cases::encoder_case("vit-tiny") / "model.safetensors");
  // Mapped memory is not allocated by LibTorch, so its storage cannot grow.
  for (const WeightSlot& weight : encoder->weights()) {
    EXPECT_FALSE(weight.slot->storage().resizable()) << weight.name;
    EXPECT_TRUE(weight.slot->equal(file.at(weight.name))) << weight.name;
  }
}

TEST(Pretrained, RefusesDevicesAndPrecisionsThatAreNotThere) {
  const auto folder = cases::encoder_case("vit-tiny");
  EXPECT_THAT(text_of(problems_of(folder, {{}, "tpu", "float32"})), HasSubstr("cpu, cuda"));
  EXPECT_THAT(text_of(problems_of(folder, {{}, "cuda:x", "float32"})), HasSubstr("cpu, cuda"));
  EXPECT_THAT(text_of(problems_of(folder, {{}, "cpu", "int8"})), HasSubstr("bfloat16"));
  EXPECT_TRUE(problems_of(folder, {{}, "auto", "auto"}).empty());
}

}  // namespace
}  // namespace espalier
