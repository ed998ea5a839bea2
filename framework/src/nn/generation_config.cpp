#include "generation_config_internal.hpp"

#include <algorithm>
#include <array>

namespace espalier {
namespace {

constexpr std::int64_t usual_new_tokens = 30;
constexpr std::int64_t most_tokens = 65536;

// Settings of generate() that are not known here, and the value at which they do nothing beside
// null: a number, or a truth value. Those of sampling (temperature, top_k, top_p, ...) do nothing
// without do_sample.
struct Unknown {
  const char* name;
  double harmless;
};
constexpr std::array<Unknown, 20> unknown_settings{{{"do_sample", 0},
                                                    {"num_beam_groups", 1},
                                                    {"num_return_sequences", 1},
                                                    {"diversity_penalty", 0},
                                                    {"penalty_alpha", 0},
                                                    {"encoder_repetition_penalty", 1},
                                                    {"encoder_no_repeat_ngram_size", 0},
                                                    {"bad_words_ids", 0},
                                                    {"force_words_ids", 0},
                                                    {"constraints", 0},
                                                    {"forced_bos_token_id", -1},
                                                    {"forced_eos_token_id", -1},
                                                    {"suppress_tokens", 0},
                                                    {"begin_suppress_tokens", 0},
                                                    {"exponential_decay_length_penalty", 0},
                                                    {"sequence_bias", 0},
                                                    {"renormalize_logits", 0},
                                                    {"remove_invalid_values", 0},
                                                    {"guidance_scale", 1},
                                                    {"stop_strings", 0}}};

bool does_nothing(const Json& value, double harmless) {
  if (value.is_boolean()) return value.get<bool>() == (harmless != 0);
  if (value.is_number()) return value.get<double>() == harmless;
  return (value.is_array() || value.is_object()) && value.empty();
}

void refuse_unknown(const ConfigReader& section) {
  for (const Unknown& setting : unknown_settings) {
    const Json* value = section.value(setting.name);
    if (value == nullptr || does_nothing(*value, setting.harmless)) continue;
    section.fail("the setting `" + std::string(setting.name) + "` of generation is not known here",
                 "greedy or beam search, without it", value->dump().substr(0, 100));
  }
}

EarlyStopping early_stopping(const ConfigReader& section, EarlyStopping usual) {
  const Json* value = section.value("early_stopping");
  if (value == nullptr) return usual;
  if (value->is_boolean()) {
    return value->get<bool>() ? EarlyStopping::at_once : EarlyStopping::when_worse;
  }
  if (*value == "never") return EarlyStopping::never;
  section.fail("`early_stopping` is out of range", "true, false or \"never\"",
               value->dump().substr(0, 100));
  return usual;
}

}  // namespace

GenerationRules GenerationSettings::for_prompt(std::int64_t tokens) const {
  GenerationRules exact = rules;
  if (exact.max_new_tokens > 0) return exact;
  exact.max_new_tokens =
      max_length > 0 ? std::max<std::int64_t>(1, max_length - tokens) : usual_new_tokens;
  return exact;
}

void read_generation_settings(const ConfigReader& section, GenerationSettings& settings) {
  GenerationRules& rules = settings.rules;
  refuse_unknown(section);
  rules.beams = section.integer("num_beams", rules.beams, 1, 64);
  rules.max_new_tokens = section.integer("max_new_tokens", rules.max_new_tokens, 1, most_tokens);
  settings.max_length = section.integer("max_length", settings.max_length, 1, most_tokens);
  rules.min_length = section.integer("min_length", rules.min_length, 0, most_tokens);
  rules.min_new_tokens = section.integer("min_new_tokens", rules.min_new_tokens, 0, most_tokens);
  rules.length_penalty = section.number("length_penalty", rules.length_penalty, -100, 100);
  rules.repetition_penalty =
      section.number("repetition_penalty", rules.repetition_penalty, 1e-3, 1e3);
  rules.no_repeat_ngram_size =
      section.integer("no_repeat_ngram_size", rules.no_repeat_ngram_size, 0, most_tokens);
  rules.early_stopping = early_stopping(section, rules.early_stopping);
}

}  // namespace espalier
