#include <espalier/peft/published.hpp>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <espalier/peft/adapter.hpp>
#include <iterator>
#include <string_view>

namespace espalier {
namespace {

using Words = std::vector<std::string_view>;

struct Row {
  std::string_view peft_type;
  std::string_view component;
  Words kept;     // keys that the component has under the same name
  Words ignored;  // keys that matter to the start of a training alone, or to nothing
};

// Of any method: they say where the adapter comes from, or what to do with it.
const Words& always_ignored() {
  static const Words words = {"auto_mapping",       "base_model_name_or_path",
                              "inference_mode",     "layers_pattern",
                              "peft_type",          "peft_version",
                              "revision",           "task_type",
                              "ensure_weight_tying"};
  return words;
}

const std::vector<Row>& published_rows() {
  static const std::vector<Row> all = {
      {"LORA",
       "lora",
       {"r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora", "lora_bias", "bias"},
       {"init_lora_weights", "megatron_core", "qalora_group_size"}},
  };
  return all;
}

bool holds(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What leaves a method as it is, whatever the key means.
bool says_nothing(const Json& value) {
  return value.is_null() || value == false || value == 0 || value == "none" ||
         ((value.is_array() || value.is_object()) && value.empty());
}

const Row& row_of(const Json& config, const std::string& where) {
  const std::string type = config.at("peft_type").get<std::string>();
  std::vector<std::string> known;
  for (const Row& row : published_rows()) {
    if (row.peft_type == type) return row;
    known.emplace_back(row.peft_type);
  }
  throw Error({.what = "adapters of this method cannot be read",
               .where = where,
               .expected = "a `peft_type` among " + joined(known),
               .found = type,
               .fix = {}});
}

class Translation {
 public:
  Translation(const Row& row, const std::string& where) : row_(row), where_(where) {
    method_.component.use = row.component;
  }

  void add(const std::string& key, const Json& value) {
    if (key == "target_modules") return add_targets(value);
    if (says_nothing(value) || holds(always_ignored(), key) || holds(row_.ignored, key)) return;
    if (key == "layers_to_transform") {
      params()[key] = value.is_array() ? value : Json::array({value});
    } else if (key == "rank_pattern" || key == "alpha_pattern") {
      add_pattern(key, value);
    } else if (key == "exclude_modules" || key == "modules_to_save" || holds(row_.kept, key)) {
      params()[key] = value;
    } else {
      method_.warnings.push_back("the key \"" + key + "\" of " + where_ +
                                 " is not known and left alone");
    }
  }

  PublishedMethod result() && {
    problems_.throw_if_any();
    return std::move(method_);
  }

 private:
  Json& params() { return method_.component.params; }

  void add_targets(const Json& value) {
    if (value.is_array()) {
      params()["target_modules"] = value;
    } else if (value == "all-linear") {
      params()["target_modules"] = Json::array({value});
    } else if (value.is_string()) {
      params()["target_regex"] = value;
    } else if (!value.is_null()) {
      fail("target_modules", "a list of names, or an expression", value);
    }
  }

  void add_pattern(const std::string& key, const Json& value) {
    if (!value.is_object()) return fail(key, "{MODULE: number}", value);
    Json entries = Json::array();
    for (const auto& [module, number] : value.items()) {
      if (!number.is_number()) return fail(key + "." + module, "a number", number);
      entries.push_back(module + "=" + number.dump());
    }
    params()[key] = std::move(entries);
  }

  void fail(const std::string& key, const std::string& expected, const Json& found) {
    problems_.add({.what = "`" + key + "` has another form",
                   .where = where_,
                   .expected = expected,
                   .found = found.dump().substr(0, 100),
                   .fix = {}});
  }

  const Row& row_;
  std::string where_;
  PublishedMethod method_;
  Problems problems_;
};

// Its config holds its parameters as they are. One that chooses no modules has no such parameter.
PublishedMethod own_method(const std::string& name, const Json& config) {
  ComponentRef component{.use = name, .params = Json::object()};
  for (const auto& [key, value] : config.items()) {
    const bool no_modules = key == "target_modules" && value.empty();
    if (value.is_null() || no_modules || holds(always_ignored(), key)) continue;
    component.params[key] = value;
  }
  return {std::move(component), {}};
}

}  // namespace

PublishedMethod published_method(const Json& config, const std::string& where) {
  const std::string own = own_component(config.at("peft_type").get<std::string>());
  if (!own.empty()) return own_method(own, config);
  Translation translation(row_of(config, where), where);
  for (const auto& [key, value] : config.items()) translation.add(key, value);
  return std::move(translation).result();
}

}  // namespace espalier
