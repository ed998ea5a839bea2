// What stands beside a vocabulary and changes the ids of a text, as Transformers and
// sentence-transformers read it. What they would heed and is not known here is refused.
#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/python_json.hpp>
#include <optional>

#include "tokenizer_internal.hpp"

namespace espalier::tokenizer {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t clip_length = 77;
constexpr std::int64_t bert_length = 512;
constexpr std::int64_t endless = std::int64_t{1} << 40;

constexpr const char* sentence_files[] = {
    "sentence_bert_config.json",       "sentence_roberta_config.json",
    "sentence_distilbert_config.json", "sentence_camembert_config.json",
    "sentence_albert_config.json",     "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json"};

Json optional_object(const fs::path& file, FolderProblems& problems) {
  if (!fs::exists(file)) return Json::object();
  Json json;
  if (!problems.collect([&] { json = parse_python_json(read_file(file), file.string()); })) {
    return Json::object();
  }
  if (json.is_object()) return json;
  problems.add({.what = "a configuration file is no JSON object",
                .where = file.string(),
                .expected = "{...}",
                .found = json.type_name(),
                .fix = {}});
  return Json::object();
}

// What config.json says of the model that reads the ids. `text_config_dict` wins, as in CLIPConfig.
Json text_section(const fs::path& folder, FolderProblems& problems) {
  const Json model = optional_object(folder / "config.json", problems);
  for (const char* key : {"text_config_dict", "text_config"}) {
    const Json text = model.value(key, Json());
    if (text.is_object()) return text;
  }
  return model;
}

// The first that is there.
std::string sentence_file_of(const fs::path& folder) {
  for (const char* name : sentence_files) {
    if (fs::exists(folder / name)) return name;
  }
  return sentence_files[0];
}

class Applier {
 public:
  Applier(const Settings& settings, bool from_json, Spec& spec, FolderProblems& problems)
      : settings_(settings), from_json_(from_json), spec_(spec), problems_(problems) {}

  void apply() {
    check_class();
    if (!spec_.is_clip && !settings_.is_generic()) set_rules();
    const auto lower = flag(settings_.sentence, "do_lower_case", settings_.sentence_file);
    spec_.lowercase_first = lower.value_or(false) && !spec_.is_clip;
    spec_.split_specials = flag(settings_.config, "split_special_tokens").value_or(false);
    set_truncation();
    spec_.max_length = limit();
    refuse_the_rest();
  }

 private:
  static constexpr const char* config_file = "tokenizer_config.json";

  void wrong(const std::string& file, const std::string& key, std::string expected,
             const Json& found, std::string fix = {}) {
    problems_.add({.what = "wrong \"" + key + "\"",
                   .where = (settings_.folder / file).string(),
                   .expected = std::move(expected),
                   .found = found.dump(-1, ' ', false, Json::error_handler_t::replace),
                   .fix = std::move(fix)});
  }

  static const Json* find(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  std::optional<bool> flag(const Json& object, const char* key,
                           const std::string& file = config_file) {
    const Json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    wrong(file, key, "true, false or null", *value);
    return std::nullopt;
  }

  void check_class() {
    const std::string name = settings_.class_name();
    if (name.empty() || (from_json_ && settings_.is_generic())) return;
    const std::vector<std::string> known =
        spec_.is_clip ? std::vector<std::string>{"CLIPTokenizer"}
                      : std::vector<std::string>{"BertTokenizer", "DistilBertTokenizer",
                                                 "MPNetTokenizer", "ElectraTokenizer"};
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    std::string list;
    for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
    problems_.add({.what = "a tokenizer that is not supported",
                   .where = (settings_.folder / config_file).string(),
                   .expected = list,
                   .found = name,
                   .fix = {}});
  }

  // The class builds its rules from the configuration and its own defaults, and looks for none of
  // them in tokenizer.json.
  void set_rules() {
    BertRules& rules = spec_.bert;
    const BertRules file = rules;
    const BertRules defaults;
    rules.lowercase = rule("do_lower_case", defaults.lowercase, file.lowercase);
    rules.strip_accents = strips(file);
    rules.separate_ideographs =
        rule("tokenize_chinese_chars", defaults.separate_ideographs, file.separate_ideographs);
    if (!from_json_ || !is_known_class()) return;
    const bool same = file.clean_text == defaults.clean_text &&
                      file.max_word_length == defaults.max_word_length &&
                      file.continuation == defaults.continuation;
    if (same) return;
    problems_.add({.what = "tokenizer.json has rules that its class does not heed",
                   .where = (settings_.folder / "tokenizer.json").string(),
                   .expected = "clean_text: true, words of up to 100 characters, \"##\"",
                   .found = Json{{"clean_text", file.clean_text},
                                 {"max_input_chars_per_word", file.max_word_length},
                                 {"continuing_subword_prefix", file.continuation}}
                                .dump(),
                   .fix = "\"tokenizer_class\": \"PreTrainedTokenizerFast\" in "
                          "tokenizer_config.json takes the file as it is"});
  }

  bool rule(const char* key, bool otherwise, bool in_file) {
    const bool given = settings_.config.contains(key);
    if (const auto value = flag(settings_.config, key)) return *value;
    if (!from_json_) return otherwise;
    if (given || !is_known_class()) return given ? otherwise : in_file;
    if (in_file != otherwise) refuse_silence(key, in_file);
    return in_file;
  }

  // Null, as absent, follows the case.
  std::optional<bool> strips(const BertRules& file) {
    constexpr const char* key = "strip_accents";
    if (const auto value = flag(settings_.config, key)) return value;
    const bool follows = !file.strip_accents || *file.strip_accents == spec_.bert.lowercase;
    if (follows || settings_.config.contains(key)) return std::nullopt;
    if (is_known_class()) refuse_silence(key, *file.strip_accents);
    return file.strip_accents;
  }

  void refuse_silence(const char* key, bool in_file) {
    wrong(
        config_file, key, Json(in_file).dump() + ", as tokenizer.json has it", Json(),
        "write down which: Transformers takes " + Json(!in_file).dump() + " where it is not said");
  }

  // Whether the class is one of BERT's kin, by name or by the model.
  [[nodiscard]] bool is_known_class() const {
    if (!settings_.class_name().empty()) return true;
    const Json type = settings_.model.value("model_type", Json());
    return type == "bert" || type == "distilbert" || type == "mpnet" || type == "electra";
  }

  void set_truncation() {
    const Json* side = find(settings_.config, "truncation_side");
    if (side == nullptr) return;
    if (*side != "left" && *side != "right") {
      return wrong(config_file, "truncation_side", "left or right", *side);
    }
    spec_.truncate_left = *side == "left";
  }

  std::optional<std::int64_t> length(const Json& object, const char* key, const std::string& file) {
    const Json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number() && value->get<double>() >= 3) {
      return value->get<double>() < 1e6 ? value->get<std::int64_t>() : endless;
    }
    wrong(file, key, "a number of tokens, at least 3", *value);
    return std::nullopt;
  }

  // sentence-transformers' own limit takes the place of the tokenizer's.
  std::int64_t limit() {
    const auto own = length(settings_.config, "model_max_length", config_file);
    const auto sentence = length(settings_.sentence, "max_seq_length", settings_.sentence_file);
    const auto places = length(settings_.model, "max_position_embeddings", "config.json");
    const std::int64_t most =
        std::min(sentence.value_or(own.value_or(endless)), places.value_or(endless));
    if (most < endless) return most;
    return spec_.is_clip ? clip_length : bert_length;
  }

  void refuse_the_rest() {
    for (const char* key : {"add_bos_token", "add_eos_token"}) {
      const Json* value = find(settings_.config, key);
      if (!from_json_ && value != nullptr) wrong(config_file, key, "nothing", *value);
    }
    for (const char* key : {"processing_kwargs", "tokenizer_args", "processor_kwargs", "model_args",
                            "model_kwargs", "config_args", "config_kwargs"}) {
      const Json* value = find(settings_.sentence, key);
      if (value != nullptr && !value->empty())
        wrong(settings_.sentence_file, key, "nothing", *value);
    }
    expect_sentence(settings_.sentence, "transformer_task", "feature-extraction");
    if (spec_.is_clip) return;
    expect_sentence(settings_.sentence, "module_output_name", "token_embeddings");
    const Json* modality = find(settings_.sentence, "modality_config");
    const Json text =
        modality != nullptr && modality->is_object() ? modality->value("text", Json()) : Json();
    if (text.is_object()) expect_sentence(text, "method_output_name", "last_hidden_state");
  }

  void expect_sentence(const Json& object, const char* key, const char* only) {
    const Json* value = find(object, key);
    if (value != nullptr && *value != only) wrong(settings_.sentence_file, key, only, *value);
  }

  const Settings& settings_;
  bool from_json_;
  Spec& spec_;
  FolderProblems& problems_;
};

}  // namespace

std::string Settings::class_name() const {
  const Json name = config.value("tokenizer_class", Json());
  std::string text = name.is_string() ? name.get<std::string>() : "";
  constexpr std::string_view fast = "Fast";
  if (text.ends_with(fast) && text != "PreTrainedTokenizerFast") {
    text.resize(text.size() - fast.size());
  }
  return text;
}

bool Settings::is_generic() const {
  const std::string name = class_name();
  return name == "PreTrainedTokenizerFast" || name == "TokenizersBackend";
}

Settings read_settings(const fs::path& folder, FolderProblems& problems) {
  const std::string sentence = sentence_file_of(folder);
  return {.folder = folder,
          .config = optional_object(folder / "tokenizer_config.json", problems),
          .map = optional_object(folder / "special_tokens_map.json", problems),
          .added = optional_object(folder / "added_tokens.json", problems),
          .sentence = optional_object(folder / sentence, problems),
          .sentence_file = sentence,
          .model = text_section(folder, problems)};
}

void apply_settings(const Settings& settings, bool from_json, Spec& spec,
                    FolderProblems& problems) {
  Applier(settings, from_json, spec, problems).apply();
}

}  // namespace espalier::tokenizer
