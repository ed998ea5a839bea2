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
  // Keys that change what is computed, with the one value that the component can do.
  std::vector<std::pair<std::string_view, std::string_view>> fixed = {};
};

// Of any method: they say where the adapter comes from, or what to do with it.
const Words& always_ignored() {
  static const Words words = {
      "auto_mapping",   "base_model_name_or_path",
      "inference_mode", "layers_pattern",
      "peft_type",      "peft_version",
      "revision",       "task_type",
      "init_weights",   "ensure_weight_tying",
      "fan_in_fan_out",
  };
  return words;
}

// Of any method: they make something else of it.
const Words& never_set() {
  static const Words words = {
      "alora_invocation_tokens", "arrow_config",      "kasa_config", "layer_replication",
      "monteclora_config",       "target_parameters", "use_bdlora",  "use_qalora",
      "trainable_token_indices", "velora_config",
  };
  return words;
}

const std::vector<Row>& published_rows() {
  static const std::vector<Row> all = {
      {"LORA",
       "lora",
       {"r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora", "lora_bias", "bias",
        "rank_pattern", "alpha_pattern"},
       {"init_lora_weights", "megatron_core", "qalora_group_size"}},
      {"ADALORA",
       "adalora",
       {"init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight",
        "total_step", "lora_alpha", "lora_dropout", "bias", "rank_pattern"},
       {"r", "init_lora_weights", "megatron_core", "qalora_group_size", "use_rslora", "lora_bias",
        "alpha_pattern"}},
      {"VERA",
       "vera",
       {"r", "projection_prng_key", "save_projection", "vera_dropout", "d_initial", "bias"},
       {}},
      {"IA3", "ia3", {"feedforward_modules"}, {"init_ia3_weights"}},
      {"LN_TUNING", "layer_norm", {}, {}},
      {"LOHA",
       "loha",
       {"r", "alpha", "rank_dropout", "module_dropout", "rank_pattern", "alpha_pattern"},
       {}},
      {"LOKR",
       "lokr",
       {"r", "alpha", "rank_dropout", "module_dropout", "rank_pattern", "alpha_pattern",
        "decompose_both", "decompose_factor", "rank_dropout_scale"},
       {}},
      {"OFT",
       "oft",
       {"r", "oft_block_size", "module_dropout", "bias", "coft", "eps", "block_share",
        "use_cayley_neumann", "num_cayley_neumann_terms"},
       {}},
      {"BOFT",
       "boft",
       {"boft_block_size", "boft_block_num", "boft_n_butterfly_factor", "boft_dropout", "bias"},
       {}},
      {"HRA", "hra", {"r", "apply_GS", "bias"}, {}},
      {"FOURIERFT",
       "fourierft",
       {"n_frequency", "scaling", "random_loc_seed", "n_frequency_pattern", "bias"},
       {}},
      {"MISS", "miss", {"r", "miss_dropout", "mini_r", "init_weights", "bias"}, {}},
      {"DELORA",
       "delora",
       {"r", "delora_lambda", "module_dropout", "rank_pattern", "lambda_pattern", "bias"},
       {}},
      {"HIRA", "hira", {"r", "hira_dropout", "rank_pattern"}, {}},
      {"RANDLORA",
       "randlora",
       {"r", "projection_prng_key", "save_projection", "sparse", "very_sparse", "randlora_dropout",
        "randlora_alpha", "bias"},
       {}},
      {"SHIRA", "shira", {"r", "random_seed"}, {}, {{"mask_type", "\"random\""}}},
      {"C3A", "c3a", {"block_size", "block_size_pattern", "bias"}, {}},
      {"ROAD", "road", {"variant", "group_size"}, {}},
      {"GRALORA",
       "gralora",
       {"r", "hybrid_r", "alpha", "gralora_dropout", "gralora_k", "bias"},
       {}},
      {"GLORA", "glora", {"r", "config_A_B", "config_C", "config_D_E", "bias"}, {}},
      {"VBLORA",
       "vblora",
       {"r", "num_vectors", "vector_length", "topk", "vblora_dropout", "bias"},
       {"init_vector_bank_bound", "init_logits_std"},
       {{"save_only_topk_weights", "false"}}},
      {"PVERA",
       "pvera",
       {"r", "projection_prng_key", "save_projection", "pvera_dropout", "d_initial", "bias"},
       {"generator_seed"},
       {{"sample_at_inference", "false"}}},
      {"PSOFT",
       "psoft",
       {"r", "psoft_dropout", "ab_svd_init", "psoft_orth", "psoft_mag_b", "psoft_mag_a",
        "use_cayley_neumann", "num_cayley_neumann_terms", "cayley_neumann_eps"},
       {"psoft_alpha", "psoft_svd_lowrank_niter", "random_seed"},
       {{"psoft_svd", "\"full\""}}},
      {"WAVEFT",
       "waveft",
       {"n_frequency", "scaling", "wavelet_family", "use_idwt", "random_loc_seed",
        "n_frequency_pattern", "proportional_parameters", "bias"},
       {}},
      {"PEANUT", "peanut", {"r", "depth", "act_fn", "scaling"}, {}},
      {"DEFT",
       "deft",
       {"r", "decomposition_method", "alpha", "para", "deft_dropout", "bias"},
       {"init_scale"}},
      {"BEFT", "beft", {}, {}},
      {"SUPERTUNING",
       "supertuning",
       {"sparsity", "select_top", "r", "lora_alpha", "lora_dropout", "save_precomputed_indices"},
       {}},
      {"TINYLORA",
       "tinylora",
       {"r", "u", "weight_tying", "projection_seed", "save_projection", "tinylora_dropout", "bias"},
       {"init_v_bound"}},
      {"UNILORA",
       "unilora",
       {"r", "proj_seed", "theta_d_length", "unilora_dropout", "bias"},
       {"init_theta_d_bound"},
       {{"save_indices", "false"}}},
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
    if (value.is_null() || holds(row_.ignored, key)) return;
    for (const auto& [fixed, only] : row_.fixed) {
      if (key == fixed) return require_value(key, only, value);
    }
    const bool plain_start = key == "init_weights" && value.is_boolean();
    if (holds(row_.kept, key) && !plain_start) return add_kept(key, value);
    if (says_nothing(value) || holds(always_ignored(), key)) return;
    if (holds(never_set(), key)) return require_value(key, "null", value);
    if (key == "layers_to_transform") {
      params()[key] = value.is_array() ? value : Json::array({value});
    } else if (key == "exclude_modules" || key == "modules_to_save") {
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

  void add_kept(const std::string& key, const Json& value) {
    if (key.ends_with("_pattern")) {
      add_pattern(key, value);
    } else {
      params()[key] = value;
    }
  }

  void require_value(const std::string& key, std::string_view only, const Json& value) {
    if (value.dump() == only) return;
    problems_.add({.what = "`" + key + "` is set to what cannot be computed here",
                   .where = where_,
                   .expected = std::string(only),
                   .found = value.dump().substr(0, 100),
                   .fix = {}});
  }

  // AdaLoRA says of each rank of a module whether it is kept, under the name of a tensor.
  void add_pattern(const std::string& key, const Json& value) {
    if (!value.is_object()) return fail(key, "{MODULE: number}", value);
    Json entries = Json::array();
    for (const auto& [module, item] : value.items()) {
      const Json number = item.is_array() ? Json(std::count(item.begin(), item.end(), true)) : item;
      if (!number.is_number()) return fail(key + "." + module, "a number", item);
      entries.push_back(module.substr(0, module.rfind(".lora_E")) + "=" + number.dump());
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
