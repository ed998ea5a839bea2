#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <optional>

#include "tokenizer_internal.hpp"
#include "unicode_internal.hpp"

namespace espalier::tokenizer {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t clip_length = 77;
constexpr std::int64_t bert_length = 512;

Json optional_object(const fs::path& file, FolderProblems& problems) {
  if (!fs::exists(file)) return Json::object();
  Json json;
  if (!problems.collect([&] { json = parse_json(read_file(file), file.string()); })) {
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

std::vector<std::string> lines_of(const fs::path& file) {
  const std::string text = read_file(file);
  if (const auto at = unicode::first_invalid_byte(text)) {
    throw Error({.what = "a vocabulary file is not UTF-8",
                 .where = file.string(),
                 .expected = {},
                 .found = "a wrong byte at position " + std::to_string(*at),
                 .fix = "download the file again"});
  }
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    start = end + 1;
  }
  return lines;
}

void read_clip_files(const fs::path& folder, Spec& spec, FolderProblems& problems) {
  const fs::path vocabulary = folder / "vocab.json";
  problems.collect([&] {
    read_vocabulary(parse_json(read_file(vocabulary), vocabulary.string()), vocabulary.string(),
                    spec.vocabulary, problems);
  });
  const fs::path merges = folder / "merges.txt";
  problems.collect([&] {
    std::size_t number = 0;
    for (const std::string& line : lines_of(merges)) {
      ++number;
      if (line.empty() || line.starts_with("#version")) continue;
      add_merge(line, merges.string() + ":" + std::to_string(number), spec.clip, problems);
    }
  });
}

void read_bert_files(const fs::path& folder, const Json& config, Spec& spec,
                     FolderProblems& problems) {
  spec.is_clip = false;
  problems.collect([&] {
    std::int64_t id = 0;
    for (const std::string& token : lines_of(folder / "vocab.txt")) {
      spec.vocabulary.set(id++, token);
    }
  });
  const auto flag = [&](const char* key, bool fallback) {
    const auto it = config.find(key);
    if (it == config.end() || it->is_null()) return fallback;
    if (it->is_boolean()) return it->get<bool>();
    problems.add({.what = std::string("wrong \"") + key + "\"",
                  .where = (folder / "tokenizer_config.json").string(),
                  .expected = "true, false or null",
                  .found = it->dump(),
                  .fix = {}});
    return fallback;
  };
  spec.bert.lowercase = flag("do_lower_case", true);
  spec.bert.strip_accents = flag("strip_accents", spec.bert.lowercase);
  spec.bert.separate_ideographs = flag("tokenize_chinese_chars", true);
}

[[noreturn]] void no_tokenizer(const fs::path& folder) {
  const bool sentencepiece =
      fs::exists(folder / "spiece.model") || fs::exists(folder / "sentencepiece.bpe.model");
  throw Error({.what = "no tokenizer that can be read in a folder",
               .where = folder.string(),
               .expected = "tokenizer.json, vocab.json with merges.txt, or vocab.txt",
               .found = !fs::exists(folder) ? "no such folder"
                        : sentencepiece     ? "a SentencePiece model"
                                            : "none of them",
               .fix = "name the model's whole folder, as it was downloaded"});
}

void check_class(const fs::path& folder, const Json& config, bool is_clip) {
  const Json name = config.value("tokenizer_class", Json());
  if (!name.is_string()) return;
  const auto text = name.get<std::string>();
  const std::vector<std::string> known =
      is_clip ? std::vector<std::string>{"CLIPTokenizer"}
              : std::vector<std::string>{"BertTokenizer", "DistilBertTokenizer", "MPNetTokenizer",
                                         "ElectraTokenizer"};
  for (const std::string& one : known) {
    if (text == one || text == one + "Fast") return;
  }
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  throw Error({.what = "a tokenizer that is not supported",
               .where = (folder / "tokenizer_config.json").string(),
               .expected = list,
               .found = text,
               .fix = {}});
}

// What the configuration and the map say of a token, a text or an object with `content`.
std::optional<AddedToken> special_from(const char* key, const Json& config, const Json& map) {
  // Where the configuration lists the added tokens, Transformers goes by it alone.
  const bool listed = config.contains("added_tokens_decoder");
  for (const Json* source : {listed ? &config : &map, listed ? &map : &config}) {
    const Json& value = source->value(key, Json());
    const Json& text = value.is_object() ? value.value("content", Json()) : value;
    if (!text.is_string()) continue;
    const bool normalized = value.is_object() && value.value("normalized", Json()) == Json(true);
    return AddedToken{.text = text.get<std::string>(), .normalized = normalized};
  }
  return std::nullopt;
}

void add_listed_tokens(const fs::path& file, const Json& config, Spec& spec,
                       FolderProblems& problems) {
  const Json listed = config.value("added_tokens_decoder", Json::object());
  for (const auto& [key, entry] : listed.items()) {
    Json token = entry;
    const bool digits =
        !key.empty() && key.size() < 9 &&
        std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (token.is_object() && digits) token["id"] = std::stoull(key);
    add_token(token, file.string(), spec, problems);
  }
}

struct SpecialRole {
  const char* key;
  std::string* token;  // of the spec
};

// As Transformers does it: the roles in its order, equal entries once, the last entry of a text
// wins.
void set_roles(const std::vector<SpecialRole>& roles, const Json& config, const Json& map,
               Spec& spec) {
  std::vector<AddedToken> entries;
  for (const SpecialRole& role : roles) {
    const AddedToken entry =
        special_from(role.key, config, map).value_or(AddedToken{.text = *role.token});
    *role.token = entry.text;
    const bool known = std::any_of(entries.begin(), entries.end(), [&](const AddedToken& other) {
      return other.text == entry.text && other.normalized == entry.normalized;
    });
    if (!known) entries.push_back(entry);
  }
  for (AddedToken& entry : entries) {
    entry.id = spec.vocabulary.find(entry.text);
    const auto same = std::find_if(spec.added.begin(), spec.added.end(),
                                   [&](const AddedToken& a) { return a.text == entry.text; });
    if (same == spec.added.end()) {
      if (entry.id >= 0) spec.added.push_back(entry);
    } else if (!config.contains("added_tokens_decoder")) {
      same->normalized = entry.normalized;
    }
  }
}

void set_specials(const fs::path& folder, const Json& config, const Json& map, Spec& spec,
                  FolderProblems& problems) {
  std::string mask = "[MASK]";
  if (spec.added.empty()) {
    add_listed_tokens(folder / "tokenizer_config.json", config, spec, problems);
    set_roles(spec.is_clip ? std::vector<SpecialRole>{{"bos_token", &spec.begin},
                                                      {"eos_token", &spec.end},
                                                      {"unk_token", &spec.unknown},
                                                      {"pad_token", &spec.pad}}
                           : std::vector<SpecialRole>{{"unk_token", &spec.unknown},
                                                      {"sep_token", &spec.end},
                                                      {"pad_token", &spec.pad},
                                                      {"cls_token", &spec.begin},
                                                      {"mask_token", &mask}},
              config, map, spec);
  } else if (const auto pad = special_from("pad_token", config, map)) {
    spec.pad = pad->text;
  }
  for (const std::string& token : {spec.begin, spec.end, spec.pad, spec.unknown}) {
    if (spec.vocabulary.find(token) >= 0) continue;
    problems.add({.what = "a special token is not in the vocabulary",
                  .where = folder.string(),
                  .expected = "\"" + token + "\"",
                  .found = std::to_string(spec.vocabulary.size()) + " other tokens",
                  .fix = "take all tokenizer files from the same model"});
  }
}

// What config.json says of the model that reads the ids.
Json text_section(const fs::path& folder, FolderProblems& problems) {
  const Json model = optional_object(folder / "config.json", problems);
  const Json text = model.value("text_config", Json());
  return text.is_object() ? text : model;
}

// Models pad their embeddings to round numbers: to multiples of 8, 64 or 128.
constexpr double most_padding = 127;

void check_size(const fs::path& folder, const Json& model, const Spec& spec,
                FolderProblems& problems) {
  const auto embedded = model.find("vocab_size");
  if (embedded == model.end() || !embedded->is_number_integer()) return;
  const double tokens = static_cast<double>(spec.vocabulary.size());
  const double places = embedded->get<double>();
  if (tokens <= places && tokens + most_padding >= places) return;
  problems.add({.what = tokens > places ? "a vocabulary has tokens that the model does not embed"
                                        : "a vocabulary is cut off",
                .where = folder.string(),
                .expected = embedded->dump() + " tokens, as config.json says (`vocab_size`)",
                .found = std::to_string(spec.vocabulary.size()),
                .fix = "take config.json and the tokenizer's files from the same model"});
}

std::int64_t limit_of(const fs::path& folder, const Json& config, const Json& model, bool is_clip,
                      FolderProblems& problems) {
  std::int64_t limit = std::int64_t{1} << 40;
  const auto take = [&](const Json& object, const char* key, const char* file) {
    const auto it = object.find(key);
    if (it == object.end() || it->is_null()) return;
    if (it->is_number() && it->get<double>() >= 3) {
      if (it->get<double>() < 1e6) limit = std::min(limit, it->get<std::int64_t>());
      return;
    }
    problems.add({.what = std::string("wrong \"") + key + "\"",
                  .where = (folder / file).string(),
                  .expected = "a number of tokens, at least 3",
                  .found = it->dump(),
                  .fix = {}});
  };
  take(config, "model_max_length", "tokenizer_config.json");
  const Json sentence = optional_object(folder / "sentence_bert_config.json", problems);
  take(sentence, "max_seq_length", "sentence_bert_config.json");
  take(model, "max_position_embeddings", "config.json");
  if (limit < std::int64_t{1} << 40) return limit;
  return is_clip ? clip_length : bert_length;
}

}  // namespace

Spec read_spec(const fs::path& folder) {
  FolderProblems problems;
  Spec spec;
  spec.origin = folder;
  const Json config = optional_object(folder / "tokenizer_config.json", problems);
  const Json map = optional_object(folder / "special_tokens_map.json", problems);
  if (fs::exists(folder / "tokenizer.json")) {
    problems.collect([&] { read_tokenizer_json(folder / "tokenizer.json", spec, problems); });
  } else if (fs::exists(folder / "vocab.json") || fs::exists(folder / "merges.txt")) {
    check_class(folder, config, true);
    read_clip_files(folder, spec, problems);
    spec.begin = "<|startoftext|>";
    spec.end = spec.pad = spec.unknown = "<|endoftext|>";
    spec.pair_separators = 2;
    spec.pair_type = 0;
  } else if (fs::exists(folder / "vocab.txt")) {
    check_class(folder, config, false);
    read_bert_files(folder, config, spec, problems);
    spec.begin = "[CLS]";
    spec.end = "[SEP]";
    spec.pad = "[PAD]";
    spec.unknown = "[UNK]";
  } else {
    no_tokenizer(folder);
  }
  const Json model = text_section(folder, problems);
  spec.max_length = limit_of(folder, config, model, spec.is_clip, problems);
  if (spec.vocabulary.size() == 0) problems.throw_if_any();
  set_specials(folder, config, map, spec, problems);
  check_size(folder, model, spec, problems);
  problems.throw_if_any();
  return spec;
}

}  // namespace espalier::tokenizer
