// Against what Transformers computed (tests/data/captioners/README.md): tensors within 1e-5 of
// their scale, ten times float32's own noise there; ids exactly.
#include <espalier/nn/blip.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <fstream>
#include <limits>

#include "cases.hpp"
#include "libtorch_threads.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

fs::path blip_case() { return fs::path(ESPALIER_SOURCE_DIR) / "tests/data/captioners/blip-tiny"; }

std::string blip_failures(const std::vector<TensorDifference>& rows) {
  std::string list;
  for (const TensorDifference& row : rows) {
    if (!row.ok()) list += row.name + " " + std::to_string(row.relative) + " " + row.failure + "\n";
  }
  return list;
}

Json json_of(const fs::path& file) { return parse_json(read_file(file), file.string()); }

void edit_json(const fs::path& file, const std::function<void(Json&)>& edit) {
  Json json = json_of(file);
  edit(json);
  std::ofstream(file) << json.dump();
}

void edit_tensors(const fs::path& file, const std::function<void(NamedTensors&)>& edit) {
  NamedTensors tensors = read_named_tensors(file);
  for (auto& [name, tensor] : tensors) tensor = tensor.clone();
  edit(tensors);
  write_tensors(file, {tensors.begin(), tensors.end()});
}

std::string error_of_loading(const fs::path& folder) {
  try {
    const Blip blip(folder);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Blip, AgreesWithTransformersInEveryTensorAndToken) {
  const auto rows = blip_parity(blip_case());
  EXPECT_EQ(blip_failures(rows), "");
  EXPECT_EQ(rows.size(), 16u);
}

TEST(Blip, NoticesChangedNumbersTokensAndMissingTensors) {
  const cases::CaseCopy copy(blip_case());
  edit_tensors(copy / "expected.safetensors", [](NamedTensors& tensors) {
    tensors.at("logits").view(-1)[3] += 1e-2;
    tensors.at("beam_ids.free").view(-1)[7] += 1;
    tensors["attentions"] = tensors.at("logits");
  });
  const std::string found = blip_failures(blip_parity(copy.folder()));
  EXPECT_THAT(found, AllOf(HasSubstr("logits"), HasSubstr("beam_ids.free"),
                           HasSubstr("attentions 0.000000 missing")));
}

EarlyStopping stopping_of(const Json& value) {
  if (value == "never") return EarlyStopping::never;
  return value.get<bool>() ? EarlyStopping::at_once : EarlyStopping::when_worse;
}

GenerationRules rules_of(const Blip& blip, const Json& settings) {
  GenerationRules rules = blip.rules(1);
  rules.max_new_tokens = 16;
  rules.beams = settings.at("num_beams");
  rules.length_penalty = settings.at("length_penalty");
  rules.early_stopping = stopping_of(settings.at("early_stopping"));
  rules.repetition_penalty = settings.at("repetition_penalty");
  rules.min_length = settings.at("min_length");
  rules.no_repeat_ngram_size = settings.at("no_repeat_ngram_size");
  return rules;
}

TEST(Blip, SearchesByTransformersRules) {
  const Blip blip(blip_case());
  const NamedTensors inputs = read_named_tensors(blip_case() / "expected.safetensors");
  const at::Tensor pixels = inputs.at("pixel_values");
  const at::Tensor states = blip.look(pixels.size(0), [&](std::int64_t i) { return pixels[i]; });
  int compared = 0;
  const Json record = json_of(blip_case() / "searches.json");
  for (const Json& one : record.at("cases")) {
    for (std::int64_t row = 0; row < states.size(0); ++row) {
      std::vector<std::int64_t> prompt = {blip.first_token()};
      for (std::int64_t i = 1; one.at("prompted") && i + 1 < inputs.at("input_ids").size(1); ++i) {
        prompt.push_back(inputs.at("input_ids")[row][i].item<std::int64_t>());
      }
      const Generated text =
          blip.tell(states.narrow(0, row, 1), prompt, rules_of(blip, one.at("settings")))[0];
      const auto at = static_cast<std::size_t>(row);
      EXPECT_EQ(Json(text.ids), one.at("ids").at(at))
          << one.at("settings").dump() << " row " << row;
      if (!one.at("scores").is_null()) {
        EXPECT_NEAR(text.score, one.at("scores").at(at).get<double>(), 1e-4);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 640);
}

TEST(Blip, TellsOfAPictureTheSameWhateverTheOthers) {
  const Blip blip(blip_case());
  const at::Tensor pixels =
      read_named_tensors(blip_case() / "expected.safetensors").at("pixel_values");
  const auto states_of = [&](const std::vector<std::int64_t>& rows) {
    return blip.look(std::ssize(rows),
                     [&](std::int64_t i) { return pixels[rows[static_cast<std::size_t>(i)]]; });
  };
  GenerationRules rules = blip.rules(1);
  rules.beams = 3;
  rules.max_new_tokens = 12;
  const std::vector<std::int64_t> prompt = {blip.first_token()};
  const int threads = at::get_num_threads();
  for (const int count : {1, 2}) {
    testing_support::set_threads(count);
    const auto all = blip.tell(states_of({0, 1, 2, 3}), prompt, rules);
    for (const std::int64_t row : {0, 1, 2, 3}) {
      const at::Tensor alone = states_of({row});
      EXPECT_TRUE(at::equal(alone[0], states_of({3, row})[1]));
      const auto text = blip.tell(alone, prompt, rules)[0];
      EXPECT_EQ(text.ids, all[static_cast<std::size_t>(row)].ids);
      // Of sums of log-probabilities near 5: rounding of the last bits.
      EXPECT_NEAR(text.score, all[static_cast<std::size_t>(row)].score, 1e-5);
    }
  }
  testing_support::set_threads(threads);
}

TEST(BlipFolder, TakesTheTiedWeightsThatPublishedFilesHold) {
  const cases::CaseCopy copy(blip_case());
  const auto words = "text_decoder.bert.embeddings.word_embeddings.weight";
  const auto scoring = "text_decoder.cls.predictions.decoder.weight";
  edit_tensors(copy / "model.safetensors", [&](NamedTensors& tensors) {
    tensors[scoring] = tensors.at(words).clone();
    tensors["text_decoder.cls.predictions.decoder.bias"] =
        tensors.at("text_decoder.cls.predictions.bias").clone();
    tensors["text_decoder.bert.embeddings.position_ids"] =
        tensors.at(words).view(-1).slice(0, 0, 3);
  });
  EXPECT_EQ(blip_failures(blip_parity(copy.folder())), "");
  edit_tensors(copy / "model.safetensors",
               [&](NamedTensors& tensors) { tensors.at(scoring).view(-1)[5] += 1.0; });
  EXPECT_THAT(error_of_loading(copy.folder()), HasSubstr("tie_word_embeddings"));
  edit_json(copy / "config.json", [](Json& config) { config["tie_word_embeddings"] = false; });
  EXPECT_EQ(error_of_loading(copy.folder()), "");
  EXPECT_THAT(blip_failures(blip_parity(copy.folder())), HasSubstr("logits"));
}

TEST(BlipFolder, NamesWhatIsWrongWithTheWeights) {
  const cases::CaseCopy copy(blip_case());
  edit_tensors(copy / "model.safetensors", [](NamedTensors& tensors) {
    const std::string layer = "vision_model.encoder.layers.1.self_attn.";
    tensors.at(layer + "qkv.weight") = tensors.at(layer + "qkv.weight").narrow(0, 0, 142).clone();
    tensors.at("text_decoder.bert.embeddings.LayerNorm.bias")[0] =
        std::numeric_limits<float>::quiet_NaN();
    tensors.erase("text_decoder.bert.encoder.layer.1.crossattention.self.key.weight");
  });
  EXPECT_THAT(error_of_loading(copy.folder()),
              AllOf(HasSubstr("layers.1.self_attn.qkv.weight"),
                    HasSubstr("layer.1.crossattention.self.key.weight\" is missing"),
                    HasSubstr("LayerNorm.bias\" holds NaN")));
}

TEST(BlipFolder, NamesAllOfTheConfigurationAtOnce) {
  const cases::CaseCopy copy(blip_case());
  edit_json(copy / "config.json", [](Json& config) {
    config["text_config"]["num_attention_heads"] = 5;
    config["text_config"]["bos_token_id"] = 3002;
    config["vision_config"]["image_size"] = "big";
  });
  edit_json(copy / "generation_config.json", [](Json& config) {
    config["do_sample"] = true;
    config["bad_words_ids"] = {{5}};
    config["suppress_tokens"] = Json::array();
    config["temperature"] = 0.7;
    config["early_stopping"] = "often";
  });
  EXPECT_THAT(
      error_of_loading(copy.folder()),
      AllOf(HasSubstr("num_attention_heads"), HasSubstr("bos_token_id"), HasSubstr("image_size"),
            HasSubstr("do_sample"), HasSubstr("bad_words_ids"), HasSubstr("early_stopping"),
            Not(HasSubstr("suppress_tokens")), Not(HasSubstr("temperature"))));
}

TEST(BlipFolder, RefusesOtherModels) {
  const cases::CaseCopy copy(blip_case());
  edit_json(copy / "config.json",
            [](Json& config) { config["architectures"] = {"BlipForQuestionAnswering"}; });
  EXPECT_THAT(error_of_loading(copy.folder()), HasSubstr("BlipForQuestionAnswering"));
  edit_json(copy / "config.json", [](Json& config) { config["model_type"] = "git"; });
  EXPECT_THAT(error_of_loading(copy.folder()), HasSubstr("`model_type`: blip"));
  EXPECT_THAT(error_of_loading("/no/such/folder"), HasSubstr("a model is a folder"));
}

TEST(BlipFolder, SaysHowCaptionsAreGenerated) {
  const cases::CaseCopy copy(blip_case());
  EXPECT_EQ(Blip(copy.folder()).rules(4).max_new_tokens, 30);
  edit_json(copy / "config.json", [](Json& config) {
    config["text_config"]["max_length"] = 20;
    config["text_config"]["num_beams"] = 2;
  });
  EXPECT_EQ(Blip(copy.folder()).rules(4).max_new_tokens, 16);
  EXPECT_EQ(Blip(copy.folder()).rules(4).end, 3);
  edit_json(copy / "generation_config.json", [](Json& config) {
    config["max_new_tokens"] = 9;
    config["length_penalty"] = 2;
    config["early_stopping"] = "never";
    config["repetition_penalty"] = 1.5;
    config["min_length"] = 6;
  });
  const GenerationRules rules = Blip(copy.folder()).rules(4);
  EXPECT_EQ(rules.max_new_tokens, 9);
  EXPECT_EQ(rules.beams, 2);
  EXPECT_EQ(rules.length_penalty, 2.0);
  EXPECT_EQ(rules.early_stopping, EarlyStopping::never);
  EXPECT_EQ(rules.repetition_penalty, 1.5);
  EXPECT_EQ(rules.min_length, 6);
}

TEST(Blip, RefusesMoreTokensThanItHasPositions) {
  const Blip blip(blip_case());
  const at::Tensor pixels =
      read_named_tensors(blip_case() / "expected.safetensors").at("pixel_values");
  const at::Tensor states = blip.look(1, [&](std::int64_t i) { return pixels[i]; });
  GenerationRules rules = blip.rules(1);
  rules.max_new_tokens = 48;
  const std::vector<std::int64_t> prompt = {blip.first_token()};
  EXPECT_THROW((void)blip.tell(states, prompt, rules), Error);
  rules.max_new_tokens = 47;
  EXPECT_EQ(blip.tell(states, prompt, rules).size(), 1u);
}

}  // namespace
}  // namespace espalier
