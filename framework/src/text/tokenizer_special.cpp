// Begin, end and their like, and tokens that are cut out of texts before anything else.
#include <algorithm>
#include <optional>
#include <set>

#include "tokenizer_internal.hpp"

namespace espalier::tokenizer {
namespace {

// What stands under a key, a text or an object with `content`.
struct Named {
  std::string text;
  bool normalized = false;
};

std::optional<Named> named(const Json& value) {
  const Json text = value.is_object() ? value.value("content", Json()) : value;
  if (!text.is_string()) return std::nullopt;
  const bool normalized = value.is_object() && value.value("normalized", Json()) == Json(true);
  return Named{text.get<std::string>(), normalized};
}

struct SpecialRole {
  const char* key;
  std::string* token;  // of the spec
};

class Specials {
 public:
  Specials(const Settings& settings, bool from_json, Spec& spec, FolderProblems& problems)
      : settings_(settings), from_json_(from_json), spec_(spec), problems_(problems) {}

  void set() {
    add_listed();
    std::string mask = "[MASK]";
    const std::vector<SpecialRole> roles =
        spec_.is_clip ? std::vector<SpecialRole>{{"bos_token", &spec_.begin},
                                                 {"eos_token", &spec_.end},
                                                 {"unk_token", &spec_.unknown},
                                                 {"pad_token", &spec_.pad}}
                      : std::vector<SpecialRole>{{"unk_token", &spec_.unknown},
                                                 {"sep_token", &spec_.end},
                                                 {"pad_token", &spec_.pad},
                                                 {"cls_token", &spec_.begin},
                                                 {"mask_token", &mask}};
    from_json_ ? compare(roles) : take(roles);
    add_extra(roles);
    check_present();
  }

 private:
  std::optional<Named> from_settings(const char* key) const {
    const bool listed = settings_.lists_added();
    for (const Json* source : {listed ? &settings_.config : &settings_.map,
                               listed ? &settings_.map : &settings_.config}) {
      if (auto token = named(source->value(key, Json()))) return token;
    }
    return std::nullopt;
  }

  AddedToken* added(const std::string& text) const {
    const auto found = std::find_if(spec_.added.begin(), spec_.added.end(),
                                    [&](const AddedToken& token) { return token.text == text; });
    return found == spec_.added.end() ? nullptr : &*found;
  }

  // `added_tokens_decoder` of the configuration, else added_tokens.json.
  void add_listed() {
    const auto number = [](const std::string& key) {
      const bool digits =
          !key.empty() && key.size() < 9 &&
          std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
      return digits ? Json(std::stoull(key)) : Json();
    };
    std::vector<Json> tokens;
    const Json listed = settings_.config.value("added_tokens_decoder", Json::object());
    for (const auto& [key, entry] : listed.items()) {
      tokens.push_back(entry);
      if (entry.is_object()) tokens.back()["id"] = number(key);
    }
    const std::string file =
        settings_.lists_added() ? "tokenizer_config.json" : "added_tokens.json";
    if (!settings_.lists_added()) {
      const std::set<std::string> special_ones = special_texts();
      for (const auto& [text, id] : settings_.added.items()) {
        if (tokens.size() > most_added_tokens) break;
        if (added(text) != nullptr && added(text)->id == id) continue;
        const bool special = special_ones.contains(text);
        tokens.push_back(
            {{"content", text}, {"id", id}, {"special", special}, {"normalized", !special}});
      }
    }
    add_tokens(std::move(tokens), (settings_.folder / file).string(), spec_, problems_);
  }

  // Every text that the settings name as a special token.
  [[nodiscard]] std::set<std::string> special_texts() const {
    std::set<std::string> texts;
    for (const Json* source : {&settings_.config, &settings_.map}) {
      for (const auto& [key, value] : source->items()) {
        const auto token = named(value);
        if (key.ends_with("_token") && token) texts.insert(token->text);
      }
    }
    for (const Named& token : extra_tokens()) texts.insert(token.text);
    return texts;
  }

  [[nodiscard]] std::vector<Named> extra_tokens() const {
    std::vector<Named> tokens;
    for (const Json* source : {&settings_.config, &settings_.map}) {
      if (source == &settings_.map && settings_.lists_added()) continue;
      for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
        const Json list = source->value(key, Json());
        for (const Json& entry : list.is_structured() ? list : Json::array()) {
          const auto token = named(entry);
          if (token && tokens.size() < most_added_tokens) tokens.push_back(*token);
        }
      }
    }
    return tokens;
  }

  // As Transformers does it: the roles in its order, equal entries once, the last entry of a text
  // wins.
  void take(const std::vector<SpecialRole>& roles) {
    std::vector<AddedToken> entries;
    for (const SpecialRole& role : roles) {
      const Named given = from_settings(role.key).value_or(Named{.text = *role.token});
      *role.token = given.text;
      const bool known = std::any_of(entries.begin(), entries.end(), [&](const AddedToken& other) {
        return other.text == given.text && other.normalized == given.normalized;
      });
      if (!known) entries.push_back({.text = given.text, .normalized = given.normalized});
    }
    for (AddedToken& entry : entries) {
      entry.id = spec_.vocabulary.find(entry.text);
      AddedToken* same = added(entry.text);
      if (same == nullptr) {
        if (entry.id >= 0) spec_.added.push_back(entry);
      } else if (!settings_.lists_added()) {
        same->normalized = entry.normalized;
      }
    }
  }

  // tokenizer.json has said what stands around a text; the configuration may say it again.
  void compare(const std::vector<SpecialRole>& roles) {
    for (const SpecialRole& role : roles) {
      compare(role);
      const std::int64_t id = spec_.vocabulary.find(*role.token);
      if (id < 0 || added(*role.token) != nullptr) continue;
      spec_.added.push_back({.text = *role.token, .id = id});
    }
  }

  void compare(const SpecialRole& role) {
    const auto given = from_settings(role.key);
    if (!given || given->text == *role.token) return;
    const bool around =
        role.token == &spec_.begin || role.token == &spec_.end || role.token == &spec_.unknown;
    if (!around) {
      *role.token = given->text;
    } else if (!settings_.is_generic()) {
      problems_.add({.what = "tokenizer.json and \"" + std::string(role.key) + "\" disagree",
                     .where = (settings_.folder / "tokenizer_config.json").string(),
                     .expected = "\"" + *role.token + "\", as tokenizer.json has it",
                     .found = "\"" + given->text + "\"",
                     .fix = "take both files from the same model"});
    }
  }

  // Special tokens that no role needs. One that the model does not embed could not be used.
  void add_extra(const std::vector<SpecialRole>& roles) {
    std::vector<Named> tokens = extra_tokens();
    for (const auto& [key, value] : settings_.config.items()) {
      const bool role = std::any_of(roles.begin(), roles.end(),
                                    [&, &name = key](const auto& one) { return name == one.key; });
      const auto token = named(value);
      if (key.ends_with("_token") && !role && token) tokens.push_back(*token);
    }
    for (const Named& token : tokens) {
      if (added(token.text) != nullptr || token.text.empty()) continue;
      const std::int64_t known = spec_.vocabulary.find(token.text);
      const std::int64_t id = known >= 0 ? known : spec_.vocabulary.size();
      if (id >= embedded()) continue;
      if (known < 0) spec_.vocabulary.set(id, token.text);
      spec_.added.push_back({.text = token.text, .id = id, .normalized = token.normalized});
    }
  }

  [[nodiscard]] std::int64_t embedded() const {
    const Json size = settings_.model.value("vocab_size", Json());
    return size.is_number_unsigned() ? std::min(size.get<std::int64_t>(), Vocabulary::max_size)
                                     : Vocabulary::max_size;
  }

  void check_present() {
    for (const std::string& token : {spec_.begin, spec_.end, spec_.pad, spec_.unknown}) {
      if (spec_.vocabulary.find(token) >= 0) continue;
      problems_.add({.what = "a special token is not in the vocabulary",
                     .where = settings_.folder.string(),
                     .expected = "\"" + token + "\"",
                     .found = std::to_string(spec_.vocabulary.size()) + " other tokens",
                     .fix = "take all tokenizer files from the same model"});
    }
  }

  const Settings& settings_;
  bool from_json_;
  Spec& spec_;
  FolderProblems& problems_;
};

}  // namespace

void set_specials(const Settings& settings, bool from_json, Spec& spec, FolderProblems& problems) {
  Specials(settings, from_json, spec, problems).set();
}

}  // namespace espalier::tokenizer
