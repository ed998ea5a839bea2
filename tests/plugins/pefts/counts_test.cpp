// How much each method trains of CLIP ViT-B/16, by closed formulas. The weights are a file of
// holes, mapped: nothing is stored, and nothing is computed from them but their sizes.
#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/peft.hpp>

#include <gmock/gmock.h>
#include <unistd.h>

#include <espalier/core/file.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include "plugins/plugin_support.hpp"

namespace espalier {
namespace {

namespace counted {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

constexpr std::int64_t layers = 12;
constexpr std::int64_t vision = 768;
constexpr std::int64_t text = 512;
constexpr std::int64_t inner = 4;  // widths that the MLP is wide
constexpr std::int64_t joint = 512;
constexpr std::int64_t vocabulary = 49408;

// Hugging Face's names and shapes, and zeros.
class HollowWeights {
 public:
  HollowWeights() {
    add("logit_scale", {});
    add_tower("vision_model.", vision);
    add("vision_model.embeddings.class_embedding", {vision});
    add("vision_model.embeddings.patch_embedding.weight", {vision, 3, 16, 16});
    add("vision_model.embeddings.position_embedding.weight", {197, vision});
    add_norm("vision_model.pre_layrnorm", vision);
    add_norm("vision_model.post_layernorm", vision);
    add("visual_projection.weight", {joint, vision});
    add_tower("text_model.", text);
    add("text_model.embeddings.token_embedding.weight", {vocabulary, text});
    add("text_model.embeddings.position_embedding.weight", {77, text});
    add_norm("text_model.final_layer_norm", text);
    add("text_projection.weight", {joint, text});
  }

  void write(const fs::path& file) const {
    std::string header = header_.dump();
    header.resize((header.size() + 7) / 8 * 8, ' ');
    std::ofstream out(file, std::ios::binary);
    for (std::size_t byte = 0; byte < 8; ++byte) {
      out.put(static_cast<char>((header.size() >> (8 * byte)) & 0xff));
    }
    out << header;
    out.close();
    fs::resize_file(file, 8 + header.size() + bytes_);
  }

 private:
  void add(const std::string& name, const std::vector<std::int64_t>& shape) {
    const std::int64_t count =
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    const std::size_t end = bytes_ + 4 * static_cast<std::size_t>(count);
    header_[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {bytes_, end}}};
    bytes_ = end;
  }
  void add_norm(const std::string& name, std::int64_t width) {
    add(name + ".weight", {width});
    add(name + ".bias", {width});
  }
  void add_linear(const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  }
  void add_tower(const std::string& prefix, std::int64_t width) {
    for (std::int64_t i = 0; i < layers; ++i) {
      const std::string layer = prefix + "encoder.layers." + std::to_string(i) + ".";
      for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
        add_linear(layer + "self_attn." + part, width, width);
      }
      add_linear(layer + "mlp.fc1", inner * width, width);
      add_linear(layer + "mlp.fc2", width, inner * width);
      add_norm(layer + "layer_norm1", width);
      add_norm(layer + "layer_norm2", width);
    }
  }

  Json header_ = Json::object();
  std::size_t bytes_ = 0;
};

Json config() {
  const auto tower = [](std::int64_t width, std::int64_t heads) {
    return Json{{"hidden_size", width},
                {"num_hidden_layers", layers},
                {"num_attention_heads", heads},
                {"intermediate_size", inner * width}};
  };
  Json image = tower(vision, 12), words = tower(text, 8);
  image.update({{"image_size", 224}, {"patch_size", 16}});
  words.update({{"vocab_size", vocabulary}, {"max_position_embeddings", 77}, {"eos_token_id", 2}});
  return {{"model_type", "clip"},
          {"projection_dim", joint},
          {"vision_config", image},
          {"text_config", words}};
}

class PeftCounts : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path folder =
        fs::path(testing::TempDir()) / ("hollow-clip-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    write_file(folder / "config.json", config().dump());
    HollowWeights().write(folder / "model.safetensors");
    clip_ = load_pretrained(folder);
    fs::remove_all(folder);
  }
  static void TearDownTestSuite() { clip_.reset(); }
  void TearDown() override { clip_->reset(); }

  static std::int64_t count(const std::string& name, const Json& params = Json::object()) {
    clip_->reset();
    Parameters parameters;
    Random random(1, "init");
    make<Peft>(name, params)->attach(*clip_, parameters, random);
    return parameters.count();
  }

  // Of one map in each layer of both towers, from its width.
  static std::int64_t over_layers(const std::function<std::int64_t(std::int64_t width)>& of_map) {
    return layers * (of_map(vision) + of_map(text));
  }

  static inline std::unique_ptr<AdaptableEncoder> clip_;
};

const Json qkv = {{"target_modules", {"q", "k", "v"}}};

Json with(Json params, const Json& more) {
  params.update(more);
  return params;
}

TEST_F(PeftCounts, TheModelIsAsLargeAsOpenAIs) {
  std::int64_t sum = 0;
  for (const WeightSlot& weight : clip_->weights()) sum += weight.frozen.numel();
  EXPECT_EQ(sum, 149'620'737);
}

TEST_F(PeftCounts, OfPublishedSettings) {
  EXPECT_EQ(count("lora", {{"r", 8}}), 491'520);
  EXPECT_EQ(count("lora", with(qkv, {{"r", 2}})), 184'320) << "CLIP-LoRA";
  EXPECT_EQ(count("lora", with(qkv, {{"r", 2}, {"use_dora", true}})), 230'400);
  EXPECT_EQ(count("adalora", qkv), 1'106'784);
  EXPECT_EQ(count("vera", qkv), 64'512);
  EXPECT_EQ(count("ia3"), 92'160);
  EXPECT_EQ(count("layer_norm"), 65'536);
  EXPECT_EQ(count("bitfit"), 171'008);
}

// Of q and v, with Hugging Face PEFT's own defaults.
TEST_F(PeftCounts, OfUsualSettings) {
  const auto pairs = [](const auto& of_map) { return 2 * over_layers(of_map); };
  const auto low_rank = [&](std::int64_t r) {
    return pairs([r](std::int64_t w) { return r * (w + w); });
  };
  const std::int64_t maps = 4 * layers;
  EXPECT_EQ(count("loha"), 2 * low_rank(8));
  // 768 = 24 * 32 and 512 = 16 * 32: the larger factor is no low rank of 8 only above 16.
  EXPECT_EQ(count("lokr"), 2 * layers * (24 * 24 + 8 * 64 + 16 * 16 + 8 * 64));
  EXPECT_EQ(count("oft"), pairs([](std::int64_t w) { return w / 32 * (32 * 31 / 2); }));
  EXPECT_EQ(count("boft"), pairs([](std::int64_t w) { return 4 * w + w; }));
  EXPECT_EQ(count("hra"), pairs([](std::int64_t w) { return 8 * w; }));
  EXPECT_EQ(count("fourierft"), maps * 1000);
  EXPECT_EQ(count("waveft"), maps * 2592);
  EXPECT_EQ(count("miss"), pairs([](std::int64_t w) { return 64 * w; }));
  EXPECT_EQ(count("delora"), low_rank(8) + maps);
  EXPECT_EQ(count("hira"), low_rank(32));
  EXPECT_EQ(count("randlora"), pairs([](std::int64_t w) { return w / 32 * (32 + w); }));
  EXPECT_EQ(count("shira"), low_rank(32));
  EXPECT_EQ(count("c3a"), pairs([](std::int64_t w) { return w * w / 256; }));
  EXPECT_EQ(count("road"), pairs([](std::int64_t w) { return w; }));
  EXPECT_EQ(count("gralora"), low_rank(32));
  EXPECT_EQ(count("glora"), pairs([](std::int64_t w) { return 2 * 8 * 2 * w + 8 * (w + 1) + 2; }));
  EXPECT_EQ(count("vblora"), low_rank(4) + 256 * 256);
  EXPECT_EQ(count("pvera"), pairs([](std::int64_t w) { return w + 2 * 256; }));
  EXPECT_EQ(count("peanut"), low_rank(32));
  EXPECT_EQ(count("deft"), low_rank(8));
  EXPECT_EQ(count("beft"), pairs([](std::int64_t w) { return w; }));
  EXPECT_EQ(count("supertuning"), pairs([](std::int64_t w) { return w * w / 100; }));
  EXPECT_EQ(count("unilora"), 256);
  const Json one = {{"towers", "text"}, {"layers_to_transform", {0}}};
  EXPECT_EQ(count("tinylora", one), 2 * 64);
  EXPECT_EQ(count("psoft", one), 2 * (32 * 31 / 2 + 2 * 32)) << "a decomposition takes its time";
}

TEST_F(PeftCounts, WhatDoesNotFitTheWidthsIsSaid) {
  const auto said = [](const char* name, const Json& params) {
    return error_of([&] { (void)count(name, params); });
  };
  for (const char* name : {"lora", "loha", "hra", "delora", "hira", "peanut", "deft", "miss"}) {
    EXPECT_THAT(said(name, {{"r", 513}, {"towers", "text"}}),
                AllOf(HasSubstr("peft.r is more than the width"), HasSubstr("at most 512")))
        << name;
  }
  EXPECT_THAT(said("adalora", {{"init_r", 513}, {"towers", "text"}}),
              HasSubstr("peft.init_r is more than"));
  EXPECT_THAT(said("psoft", {{"r", 513}, {"towers", "text"}}), HasSubstr("at most 512"));
  EXPECT_THAT(said("gralora", {{"r", 9}}), HasSubstr("peft.gralora_k does not divide"));
  EXPECT_THAT(said("oft", {{"oft_block_size", 30}}),
              AllOf(HasSubstr("peft.oft_block_size does not divide"), HasSubstr("a divisor of 768"),
                    HasSubstr("layers.0.self_attn.q_proj")));
  EXPECT_THAT(said("boft", {{"boft_block_size", 5}}), HasSubstr("peft.boft_block_size"));
  EXPECT_THAT(said("boft", {{"boft_n_butterfly_factor", 9}}), HasSubstr("a multiple of 256"));
  EXPECT_THAT(said("c3a", {{"block_size", 96}}), HasSubstr("peft.block_size does not divide"));
  EXPECT_THAT(said("road", {{"group_size", 384}, {"towers", "text"}}),
              HasSubstr("a divisor of 512"));
  EXPECT_THAT(said("vblora", {{"vector_length", 100}}), HasSubstr("peft.vector_length"));
  EXPECT_THAT(said("fourierft", {{"n_frequency", 262'145}, {"towers", "text"}}),
              HasSubstr("at most 262144"));
  EXPECT_THAT(said("waveft", {{"n_frequency", 262'145}, {"towers", "text"}}),
              HasSubstr("at most 262144"));
  EXPECT_THAT(said("shira", {{"r", 257}, {"towers", "text"}}), HasSubstr("at most 262144"));
  EXPECT_THAT(said("miss", {{"r", 30}, {"init_weights", "bat"}}), HasSubstr("does not divide"));
}

}  // namespace counted
}  // namespace
}  // namespace espalier
