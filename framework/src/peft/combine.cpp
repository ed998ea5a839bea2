#include <espalier/peft/combine.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/peft/published.hpp>
#include <map>

namespace espalier {
namespace {

constexpr std::string_view a_end = ".lora_A.weight";
constexpr std::string_view b_end = ".lora_B.weight";

// The product of one adapter at one module: scale B A.
struct Update {
  at::Tensor a;
  at::Tensor b;
  double scale = 1;
};

using Updates = std::map<std::string, Update>;  // by module

[[noreturn]] void not_combined(const std::string& what, const std::string& found) {
  throw Error({.what = what,
               .where = {},
               .expected = "LoRA adapters of one base that change the same modules by products alone",
               .found = found,
               .fix = "merge each into a model of its own, and average those"});
}

// lora_alpha over r, or over its root, each with the module's own.
double scale_of(const Json& config, const std::string& module) try {
  const Json params = published_method(config, "adapter_config.json").component.params;
  const auto pattern = [&](const char* key, const char* usual) {
    const auto entries = params.value(key, Json::array()).get<std::vector<std::string>>();
    return ModulePattern(entries, params.value(usual, 8.0), key).of(module);
  };
  const double rank = pattern("rank_pattern", "r");
  return pattern("alpha_pattern", "lora_alpha") /
         (params.value("use_rslora", false) ? std::sqrt(rank) : rank);
} catch (const Json::exception& error) {
  not_combined("a setting of an adapter has another form", error.what());
}

Updates updates_of(const Adapter& adapter) {
  const std::string type = adapter.config.at("peft_type").get<std::string>();
  if (type != "LORA") not_combined("adapters of this method cannot be combined", type);
  Updates updates;
  for (const auto& [name, tensor] : adapter.tensors) {
    if (name.ends_with(a_end)) {
      updates[name.substr(0, name.size() - a_end.size())].a = tensor;
    } else if (name.ends_with(b_end)) {
      updates[name.substr(0, name.size() - b_end.size())].b = tensor;
    } else {
      not_combined("an adapter holds more than products", name);
    }
  }
  for (auto& [module, update] : updates) {
    if (!update.a.defined() || !update.b.defined()) not_combined("half a product", module);
    update.scale = scale_of(adapter.config, module);
  }
  return updates;
}

Update weighted_sum(const std::vector<Update>& updates) {
  std::vector<at::Tensor> a, b;
  for (const Update& update : updates) {
    a.push_back(update.a * update.scale);
    b.push_back(update.b);
  }
  return {at::cat(a, 0), at::cat(b, 1)};
}

Update best_approximation(const std::vector<Update>& updates) {
  std::int64_t rank = 0;
  for (const Update& update : updates) rank = std::max(rank, update.a.size(0));
  const Update sum = weighted_sum(updates);
  const auto [u, s, v] = at::linalg_svd(at::matmul(sum.b.flatten(1), sum.a.flatten(1)), false);
  std::vector<std::int64_t> a_sizes = sum.a.sizes().vec(), b_sizes = sum.b.sizes().vec();
  a_sizes[0] = b_sizes[1] = rank;
  return {v.slice(0, 0, rank).reshape(a_sizes),
          (u.slice(1, 0, rank) * s.slice(0, 0, rank)).reshape(b_sizes)};
}

Update cross_terms(const std::vector<Update>& updates, const std::string& module) {
  Update sum;
  for (const Update& update : updates) {
    const double root = std::sqrt(std::abs(update.scale));
    const at::Tensor a = update.a * (update.scale < 0 ? -root : root);
    const at::Tensor b = update.b * root;
    if (sum.a.defined() && !sum.a.sizes().equals(a.sizes())) {
      not_combined("linear needs equal ranks", module);
    }
    sum.a = sum.a.defined() ? sum.a + a : a;
    sum.b = sum.b.defined() ? sum.b + b : b;
  }
  return sum;
}

Update combined(const std::vector<Update>& updates, const std::string& module, Combination how) {
  if (how == Combination::cat) return weighted_sum(updates);
  return how == Combination::svd ? best_approximation(updates) : cross_terms(updates, module);
}

// Ranks may differ from module to module, so each is its own pattern where they do.
Json config_for(const Json& first, const std::map<std::string, std::int64_t>& ranks) {
  std::vector<std::string> modules;
  std::int64_t most = 0;
  for (const auto& [module, rank] : ranks) {
    modules.push_back(module);
    most = std::max(most, rank);
  }
  Json config = adapter_config_of("LORA", modules);
  config["base_model_name_or_path"] = first.value("base_model_name_or_path", Json());
  config["r"] = config["lora_alpha"] = most;
  config["lora_dropout"] = 0.0;
  config["bias"] = "none";
  config["rank_pattern"] = config["alpha_pattern"] = Json::object();
  for (const auto& [module, rank] : ranks) {
    if (rank != most) config["rank_pattern"][module] = config["alpha_pattern"][module] = rank;
  }
  return config;
}

}  // namespace

Combination combination_of(std::string_view word) {
  if (word == "cat") return Combination::cat;
  if (word == "svd") return Combination::svd;
  if (word == "linear") return Combination::linear;
  throw Error({.what = "adapters cannot be combined in this way",
               .where = "command line",
               .expected = "cat, svd or linear",
               .found = std::string(word),
               .fix = {}});
}

Adapter combine(const std::vector<Adapter>& adapters, const std::vector<double>& weights,
                Combination how) {
  ESPALIER_ASSERT(!adapters.empty() && adapters.size() == weights.size(), "a weight an adapter");
  std::map<std::string, std::vector<Update>> by_module;
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    for (auto& [module, update] : updates_of(adapters[i])) {
      update.scale *= weights[i];
      by_module[module].push_back(update);
    }
  }
  Adapter result;
  std::map<std::string, std::int64_t> ranks;
  for (const auto& [module, updates] : by_module) {
    if (updates.size() != adapters.size()) {
      not_combined("the adapters change other modules", module + " in some of them");
    }
    const Update update = combined(updates, module, how);
    ranks[module] = update.a.size(0);
    result.tensors.emplace_back(module + std::string(a_end), update.a);
    result.tensors.emplace_back(module + std::string(b_end), update.b);
  }
  result.config = config_for(adapters.front().config, ranks);
  return result;
}

}  // namespace espalier
