// tokenizer.json of the tokenizers library: what of it is known here, and no guesses about the
// rest.
#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/python_json.hpp>
#include <limits>

#include "tokenizer_internal.hpp"

namespace espalier::tokenizer {
namespace {

const Json null_value;

const Json& member(const Json& object, const char* key) {
  if (!object.is_object()) return null_value;
  const auto it = object.find(key);
  return it == object.end() ? null_value : *it;
}

// The text under a key, empty where there is none.
std::string text_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

constexpr std::int64_t longest_word = 1000;  // finding its pieces takes the square of its length

class Reader {
 public:
  Reader(std::string origin, Spec& spec, FolderProblems& problems)
      : origin_(std::move(origin)), spec_(spec), problems_(problems) {}

  void read(const Json& root) {
    const Json& model = member(root, "model");
    const std::string type = text_of(model, "type");
    const bool byte_pair = type == "BPE" || (type.empty() && model.contains("merges"));
    if (!byte_pair && type != "WordPiece")
      return unsupported("model.type", "BPE or WordPiece", type);
    spec_.is_clip = byte_pair;
    read_vocabulary(member(model, "vocab"), origin_, spec_.vocabulary, problems_);
    spec_.unknown = text_of(model, "unk_token");
    byte_pair ? read_clip(root, model) : read_bert(root, model);
    const Json& added = member(root, "added_tokens");
    if (added.is_array()) add_tokens(added, origin_, spec_, problems_);
    read_template(member(root, "post_processor"));
    read_truncation(member(root, "truncation"));
    spec_.pad = spec_.is_clip ? spec_.end : "[PAD]";
    const std::string pad = text_of(member(root, "padding"), "pad_token");
    if (!pad.empty()) spec_.pad = pad;
  }

 private:
  void unsupported(const std::string& what, std::string expected, std::string found) {
    problems_.add({.what = "a tokenizer that is not supported: " + what,
                   .where = origin_,
                   .expected = std::move(expected),
                   .found = std::move(found),
                   .fix = {}});
  }

  // `value` must be one of `allowed`.
  void expect(const std::string& what, const Json& value, const std::vector<Json>& allowed) {
    for (const Json& one : allowed) {
      if (value == one) return;
    }
    unsupported(what, allowed.front().dump(), value.dump());
  }

  void read_clip(const Json& root, const Json& model) {
    expect("model.end_of_word_suffix", member(model, "end_of_word_suffix"), {"</w>"});
    expect("model.continuing_subword_prefix", member(model, "continuing_subword_prefix"),
           {"", nullptr});
    expect("model.dropout", member(model, "dropout"), {nullptr, 0.0});
    expect("model.byte_fallback", member(model, "byte_fallback"), {false, nullptr});
    expect("model.ignore_merges", member(model, "ignore_merges"), {false, nullptr});
    const Json& merges = member(model, "merges");
    if (!merges.is_array()) unsupported("model.merges", "a list", merges.type_name());
    for (const Json& merge : merges.is_array() ? merges : Json::array()) {
      const bool pair =
          merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
      if (pair) {
        spec_.clip.merges.emplace_back(merge[0], merge[1]);
      } else {
        add_merge(merge.is_string() ? merge.get<std::string>() : merge.dump(), origin_, spec_.clip,
                  problems_);
      }
    }
    expect("normalizer", member(root, "normalizer"),
           {Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
                {"type": "Lowercase"}]})")});
    read_pattern(member(root, "pre_tokenizer"));
  }

  void read_pattern(const Json& pre_tokenizer) {
    static constexpr const char* words =
        R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
    static constexpr const char* specials = R"(<\|startoftext\|>|<\|endoftext\|>|)";
    const Json& steps = member(pre_tokenizer, "pretokenizers");
    const bool two = steps.is_array() && steps.size() == 2;
    const Json& split = two ? steps[0] : null_value;
    const std::string pattern = text_of(member(split, "pattern"), "Regex");
    spec_.clip.pattern_has_specials = pattern == std::string(specials) + words;
    if (!spec_.clip.pattern_has_specials) expect("the pattern of words", pattern, {words});
    expect("pre_tokenizer", text_of(split, "type"), {"Split"});
    expect("pre_tokenizer.behavior", member(split, "behavior"), {"Removed"});
    expect("pre_tokenizer.invert", member(split, "invert"), {true});
    expect("pre_tokenizer", text_of(two ? steps[1] : null_value, "type"), {"ByteLevel"});
    expect("pre_tokenizer.add_prefix_space",
           member(two ? steps[1] : null_value, "add_prefix_space"), {false});
  }

  void read_bert(const Json& root, const Json& model) {
    BertRules& rules = spec_.bert;
    const Json& limit = member(model, "max_input_chars_per_word");
    if (limit.is_number_unsigned()) rules.max_word_length = limit.get<std::int64_t>();
    if (rules.max_word_length > longest_word) {
      unsupported("model.max_input_chars_per_word", "at most " + std::to_string(longest_word),
                  limit.dump());
    }
    rules.continuation = text_of(model, "continuing_subword_prefix");
    const Json& normalizer = member(root, "normalizer");
    expect("normalizer", text_of(normalizer, "type"), {"BertNormalizer"});
    expect("pre_tokenizer", text_of(member(root, "pre_tokenizer"), "type"), {"BertPreTokenizer"});
    const auto flag = [&](const char* key, bool fallback) {
      const Json& value = member(normalizer, key);
      return value.is_boolean() ? value.get<bool>() : fallback;
    };
    rules.clean_text = flag("clean_text", true);
    rules.separate_ideographs = flag("handle_chinese_chars", true);
    rules.lowercase = flag("lowercase", true);
    const Json& strips = member(normalizer, "strip_accents");
    if (strips.is_boolean()) rules.strip_accents = strips.get<bool>();
  }

  // Transformers takes the length from elsewhere.
  void read_truncation(const Json& truncation) {
    spec_.truncate_left = text_of(truncation, "direction") == "Left";
  }

  // Which tokens stand before and after a text.
  void read_template(const Json& processor) {
    const std::string type = text_of(processor, "type");
    const Json& single = member(processor, "single");
    if (type == "TemplateProcessing" && single.is_array() && single.size() == 3 &&
        single[1].contains("Sequence")) {
      spec_.begin = text_of(member(single[0], "SpecialToken"), "id");
      spec_.end = text_of(member(single[2], "SpecialToken"), "id");
      const Json& pair = member(processor, "pair");
      spec_.pair_separators = pair.is_array() && pair.size() == 6 ? 2 : 1;
      const Json& last = pair.is_array() && !pair.empty() ? pair.back() : null_value;
      const Json& type_id = member(member(last, "SpecialToken"), "type_id");
      spec_.pair_type = type_id.is_number_unsigned() ? type_id.get<std::int64_t>() : 1;
    } else if (type == "RobertaProcessing" || type == "BertProcessing") {
      spec_.begin = first_of(member(processor, "cls"));
      spec_.end = first_of(member(processor, "sep"));
      spec_.pair_separators = type == "RobertaProcessing" ? 2 : 1;
      spec_.pair_type = type == "RobertaProcessing" ? 0 : 1;
    } else {
      unsupported("post_processor", "one token before and one after each text", processor.dump());
    }
  }

  static std::string first_of(const Json& pair) {
    return pair.is_array() && !pair.empty() && pair[0].is_string() ? pair[0].get<std::string>()
                                                                   : "";
  }

  std::string origin_;
  Spec& spec_;
  FolderProblems& problems_;
};

}  // namespace

void read_vocabulary(const Json& json, const std::string& origin, Vocabulary& vocabulary,
                     FolderProblems& problems) {
  const auto wrong = [&](std::string what, std::string found) {
    problems.add({.what = std::move(what),
                  .where = origin,
                  .expected = "an object of tokens and their ids, each once, from 0",
                  .found = std::move(found),
                  .fix = "download the file again"});
  };
  if (!json.is_object() || json.empty()) return wrong("no vocabulary", json.type_name());
  // Leaves room for ids without a token, but not for a file that asks for all memory.
  const std::uint64_t limit =
      std::min<std::uint64_t>(2 * json.size() + (std::uint64_t{1} << 17), Vocabulary::max_size);
  std::vector<bool> taken(static_cast<std::size_t>(limit));
  for (const auto& [token, id] : json.items()) {
    const bool fits = id.is_number_unsigned() && id.get<std::uint64_t>() < limit;
    if (!fits || taken[id.get<std::size_t>()]) {
      wrong("token \"" + token + "\" has a wrong id", id.dump());
      continue;
    }
    taken[id.get<std::size_t>()] = true;
    vocabulary.set(id.get<std::int64_t>(), token);
  }
}

void add_merge(const std::string& line, const std::string& where, ClipRules& rules,
               FolderProblems& problems) {
  const std::size_t space = line.find(' ');
  if (space == 0 || space == std::string::npos || space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string::npos) {
    return problems.add({.what = "a merge is not two tokens",
                         .where = where,
                         .expected = "two tokens with one space between",
                         .found = line.substr(0, 80),
                         .fix = "download the file again"});
  }
  rules.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
}

void add_tokens(std::vector<Json> tokens, const std::string& where, Spec& spec,
                FolderProblems& problems) {
  constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
  const auto id_of = [](const Json& token) {
    const Json& id = member(token, "id");
    return id.is_number_unsigned() ? id.get<std::uint64_t>() : none;
  };
  if (tokens.size() > most_added_tokens) {
    return problems.add({.what = "there are too many added tokens",
                         .where = where,
                         .expected = "at most " + std::to_string(most_added_tokens),
                         .found = std::to_string(tokens.size()),
                         .fix = {}});
  }
  std::stable_sort(tokens.begin(), tokens.end(),
                   [&](const Json& a, const Json& b) { return id_of(a) < id_of(b); });
  for (const Json& token : tokens) {
    const std::string text = text_of(token, "content");
    const std::int64_t known = spec.vocabulary.find(text);
    const std::int64_t id = known >= 0 ? known : spec.vocabulary.size();
    const bool fits = id_of(token) == static_cast<std::uint64_t>(id) && id < Vocabulary::max_size;
    if (text.empty() || !fits || member(token, "single_word") == Json(true)) {
      problems.add(
          {.what = "an added token cannot be used",
           .where = where,
           .expected = "a text and its id (here " + std::to_string(id) + "), not single_word",
           .found = token.dump(-1, ' ', false, Json::error_handler_t::replace),
           .fix = {}});
      continue;
    }
    if (known < 0) spec.vocabulary.set(id, text);
    std::erase_if(spec.added, [&](const AddedToken& other) { return other.text == text; });
    spec.added.push_back({.text = text,
                          .id = id,
                          .special = member(token, "special") == Json(true),
                          .normalized = member(token, "normalized") == Json(true)});
  }
}

void read_tokenizer_json(const std::filesystem::path& file, Spec& spec, FolderProblems& problems) {
  Reader(file.string(), spec, problems).read(parse_python_json(read_file(file), file.string()));
}

}  // namespace espalier::tokenizer
