#include <espalier/nn/blip.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/parallel.hpp>

#include "blip_vision_internal.hpp"
#include "caption_decoder_internal.hpp"
#include "generation_config_internal.hpp"

namespace espalier {

struct BlipConfig {
  PatchConfig patches;
  TransformerConfig vision;
  CaptionDecoderConfig text;
  std::int64_t first_token = 0;
  GenerationSettings generation;
};

namespace {

void require_captioner(const Json& config, const ConfigReader& root) {
  const Json type = config.value("model_type", Json());
  if (type != "blip") {
    root.fail("config.json is for another architecture", "`model_type`: blip",
              type.is_null() ? "no `model_type`" : type.dump().substr(0, 100));
  } else if (root.has("architectures") &&
             !root.architecture_ends_with("ForConditionalGeneration")) {
    root.fail("the model is a BLIP that writes no captions",
              "`architectures`: BlipForConditionalGeneration",
              config.at("architectures").dump().substr(0, 100));
  }
}

CaptionDecoderConfig decoder_config(const ConfigReader& root, const ConfigReader& text,
                                    std::int64_t memory_width) {
  TransformerConfig usual = base_layers(1e-12);
  usual.heads = 8;
  usual.order = NormOrder::post;
  usual.causal = true;
  return {.layers = text.transformer(usual, "gelu"),
          .memory_width = memory_width,
          .vocabulary = text.integer("vocab_size", 30524, 2, 1 << 22),
          .positions = text.integer("max_position_embeddings", 512),
          .tied = root.flag("tie_word_embeddings", true) && text.flag("tie_word_embeddings", true)};
}

std::int64_t token(const ConfigReader& text, const char* key, std::int64_t usual,
                   std::int64_t vocabulary) {
  return text.integer(key, std::min(usual, vocabulary - 1), 0, vocabulary - 1);
}

BlipConfig blip_config(const std::filesystem::path& folder, Problems& problems) {
  const std::filesystem::path file = folder / "config.json";
  const Json config = read_model_config(file);
  const ConfigReader root(config, file.string(), problems);
  BlipConfig blip;
  require_captioner(config, root);
  if (problems.size() > 0) return blip;

  const ConfigReader vision = root.section("vision_config"), text = root.section("text_config");
  blip.patches = patch_config(vision, {.image_size = 384});
  blip.vision = vision.transformer(base_layers(1e-5), "gelu");
  blip.text = decoder_config(root, text, blip.vision.width);
  blip.first_token = token(text, "bos_token_id", 30522, blip.text.vocabulary);
  blip.generation.rules.max_new_tokens = 0;
  blip.generation.rules.end = token(text, "sep_token_id", 102, blip.text.vocabulary);
  read_generation_settings(text, blip.generation);
  const std::filesystem::path generation = folder / "generation_config.json";
  if (std::filesystem::exists(generation)) {
    read_generation_settings(
        ConfigReader(read_model_config(generation), generation.string(), problems),
        blip.generation);
  }
  return blip;
}

}  // namespace

struct Blip::State {
  BlipConfig config;
  WeightReader reader;
  BlipVision vision;
  CaptionDecoder decoder;

  State(BlipConfig about, SafeTensors weights, const std::filesystem::path& folder,
        at::Device device, at::ScalarType type)
      : config(std::move(about)),
        reader(prepared(WeightReader(std::move(weights), type, device))),
        vision(config.patches, config.vision, reader),
        decoder(config.text, reader) {
    static_cast<void>(reader.finish());
    decoder.settle((folder / "model.safetensors").string());
  }

 private:
  static WeightReader prepared(WeightReader reader) {
    reader.split("self_attn.qkv", {"q", "k", "v"});
    reader.ignore("position_ids");
    return reader;
  }
};

Blip::Blip(const std::filesystem::path& folder, const PretrainedOptions& options) {
  require_model_folder(folder);
  Problems problems;
  BlipConfig config;
  std::optional<SafeTensors> weights;
  try {
    config = blip_config(folder, problems);
  } catch (const Error& error) {
    for (const Problem& problem : error.problems()) problems.add(problem);
  }
  try {
    weights = open_weights(folder);
  } catch (const Error& error) {
    for (const Problem& problem : error.problems()) problems.add(problem);
  }
  problems.throw_if_any();
  const at::Device device = device_of(options.device);
  state_ = std::make_unique<State>(std::move(config), std::move(*weights), folder, device,
                                   precision_of(options.precision, device));
}

Blip::~Blip() = default;
Blip::Blip(Blip&&) noexcept = default;

at::Device Blip::device() const { return state_->vision.transformer().device(); }
std::int64_t Blip::image_size() const { return state_->config.patches.image_size; }
std::int64_t Blip::positions() const { return state_->config.text.positions; }
std::int64_t Blip::vocabulary() const { return state_->config.text.vocabulary; }
std::int64_t Blip::first_token() const { return state_->config.first_token; }

GenerationRules Blip::rules(std::int64_t prompt) const {
  return state_->config.generation.for_prompt(prompt);
}

at::Tensor Blip::look(std::int64_t n, const std::function<at::Tensor(std::int64_t)>& pixels) const {
  const c10::AutoGradMode without_gradients(false);
  std::vector<at::Tensor> states(static_cast<std::size_t>(n));
  if (!device().is_cpu()) {
    std::vector<at::Tensor> all;
    for (std::int64_t i = 0; i < n; ++i) all.push_back(pixels(i));
    return state_->vision.forward(at::stack(all));
  }
  for_each_alone(n, [&](std::int64_t i) {
    states[static_cast<std::size_t>(i)] = state_->vision.forward(pixels(i).unsqueeze(0))[0];
  });
  return at::stack(states);
}

std::vector<Generated> Blip::tell(const at::Tensor& states, std::span<const std::int64_t> prompt,
                                  const GenerationRules& rules) const {
  const std::int64_t tokens = std::ssize(prompt) + rules.max_new_tokens;
  if (tokens > positions()) {
    throw Error({.what = "a caption could be longer than the model's positions",
                 .where = "max_new_tokens",
                 .expected = "at most " + std::to_string(positions() - std::ssize(prompt)) +
                             " after a prompt of " + std::to_string(std::ssize(prompt)) + " tokens",
                 .found = std::to_string(rules.max_new_tokens),
                 .fix = {}});
  }
  const c10::AutoGradMode without_gradients(false);
  CaptionDecoder::State said(state_->decoder, states, tokens);
  return generate(states.size(0), prompt, rules,
                  [&](auto next, auto order) { return state_->decoder.step(said, next, order); });
}

std::map<std::string, at::Tensor> Blip::run_on_tensors(
    const std::map<std::string, at::Tensor>& inputs) const {
  const c10::AutoGradMode without_gradients(false);
  std::map<std::string, at::Tensor> outputs;
  const BlipVision& vision = state_->vision;
  const std::int64_t layers = vision.transformer().config().layers;
  at::Tensor h = vision.embed(inputs.at("pixel_values").to(device()));
  for (std::int64_t i = 0; i <= layers; ++i) {
    outputs["hidden_states.vision." + std::to_string(i)] = h;
    if (i < layers) h = vision.transformer().run(h, i, i + 1, {});
  }
  const at::Tensor last = vision.normed(h);
  outputs["last_hidden_state.vision"] = last;
  outputs["pooler_output.vision"] = vision.normed(last.select(1, 0));
  if (!inputs.contains("input_ids")) return outputs;

  const at::Tensor ids = inputs.at("input_ids").t().contiguous();
  CaptionDecoder::State said(state_->decoder, last, ids.size(0));
  std::vector<std::int64_t> order(static_cast<std::size_t>(ids.size(1)));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::map<std::string, std::vector<at::Tensor>> columns;
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const std::span tokens(ids.data_ptr<std::int64_t>() + i * ids.size(1), order.size());
    columns["logits"].push_back(state_->decoder.step(
        said, tokens, order, [&](std::int64_t layer, const at::Tensor& states) {
          columns["hidden_states.text." + std::to_string(layer)].push_back(states.clone());
        }));
  }
  for (const auto& [name, list] : columns) outputs[name] = at::stack(list, 1);
  return outputs;
}

bool is_blip_folder(const std::filesystem::path& folder) {
  return read_model_config(folder / "config.json").value("model_type", Json()) == "blip";
}

}  // namespace espalier
