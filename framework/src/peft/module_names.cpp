#include <espalier/peft/module_names.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <vector>

namespace espalier {
namespace {

struct Renaming {
  std::string_view here;
  std::string_view there;
};

// Below a layer: ViT's and DINOv2's checkpoints, and their classes since Transformers 5.
constexpr std::array<Renaming, 6> below_layer{{{"attention.attention.query", "attention.q_proj"},
                                               {"attention.attention.key", "attention.k_proj"},
                                               {"attention.attention.value", "attention.v_proj"},
                                               {"attention.output.dense", "attention.o_proj"},
                                               {"intermediate.dense", "mlp.fc1"},
                                               {"output.dense", "mlp.fc2"}}};
constexpr std::string_view vit_layers_here = "encoder.layer.";
constexpr std::string_view vit_layers_there = "layers.";

bool at(const std::string& text, std::size_t place, std::string_view word) {
  return text.compare(place, word.size(), word) == 0;
}

// Replaces `from` at the start of the name, or behind a dot.
std::string replaced(std::string name, std::string_view from, std::string_view to) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if ((i == 0 || name[i - 1] == '.') && at(name, i, from)) {
      return name.replace(i, from.size(), to);
    }
  }
  return name;
}

// Where a name goes on behind `encoder.layer.N.` or `layers.N.`; npos: nowhere.
std::size_t behind_layer(const std::string& name) {
  for (const std::string_view layers : {vit_layers_here, vit_layers_there}) {
    const std::size_t found = name.find(layers);
    if (found != std::string::npos) return name.find('.', found + layers.size()) + 1;
  }
  return std::string::npos;
}

std::string vit_there(const std::string& family, std::string name) {
  const std::size_t inside = behind_layer(name);
  if (inside != std::string::npos) {
    for (const auto& [here, there] : below_layer) {
      if (!at(name, inside, here)) continue;
      name.replace(inside, here.size(), there);
      break;
    }
  }
  return family == "vit" ? replaced(std::move(name), vit_layers_here, vit_layers_there) : name;
}

std::string vit_here(std::string name) {
  if (name.find(vit_layers_here) == std::string::npos) {
    name = replaced(std::move(name), vit_layers_there, vit_layers_here);
  }
  const std::size_t inside = behind_layer(name);
  if (inside == std::string::npos) return name;
  for (const auto& [here, there] : below_layer) {
    if (at(name, inside, there)) return name.replace(inside, there.size(), here);
  }
  return name;
}

// The tower of a model of two that a module belongs to, as all families with two name it.
std::optional<TowerKind> tower_of(const std::string& name) {
  for (const char* start : {"vision_model.", "visual_projection"}) {
    if (name.starts_with(start)) return TowerKind::image;
  }
  for (const char* start : {"text_model.", "text_projection"}) {
    if (name.starts_with(start)) return TowerKind::text;
  }
  return std::nullopt;
}

bool is_missing(const std::string& name, const AdaptableEncoder& encoder) {
  const std::optional<TowerKind> tower = tower_of(name);
  if (!tower) return false;
  return *tower == TowerKind::image ? encoder.image() == nullptr : encoder.text() == nullptr;
}

// The modules of an encoder by every name that they may have elsewhere.
class Modules {
 public:
  explicit Modules(const AdaptableEncoder& encoder) {
    for (const Site* site : encoder.sites()) names_.insert(site->name);
    for (const WeightSlot& weight : encoder.weights()) {
      names_.insert(weight.name.substr(0, weight.name.rfind('.')));
    }
  }

  // Empty where there is no such module.
  [[nodiscard]] std::string here(const std::string& name) const {
    const std::size_t dot = tower_of(name) ? std::string::npos : name.find('.');
    const std::string inner = dot == std::string::npos ? name : name.substr(dot + 1);
    for (const std::string& base : {name, inner}) {
      for (const std::string& form : {base, vit_here(base)}) {
        for (const char* tower : {"", "vision_model.", "text_model."}) {
          if (names_.contains(tower + form)) return tower + form;
        }
      }
    }
    return {};
  }

  // Of a tensor, whose name goes on behind its module's.
  [[nodiscard]] std::string tensor_here(const std::string& name) const {
    for (std::size_t end = name.rfind('.'); end != std::string::npos && end > 0;
         end = name.rfind('.', end - 1)) {
      const std::string module = here(name.substr(0, end));
      if (!module.empty()) return module + name.substr(end);
    }
    return name;
  }

 private:
  std::set<std::string> names_;
};

using Rename = std::function<std::string(const std::string&)>;

void rename_modules(Json& config, const Rename& rename) {
  for (const char* key : {"target_modules", "exclude_modules", "feedforward_modules"}) {
    const auto list = config.find(key);
    if (list == config.end() || !list->is_array()) continue;
    for (Json& module : *list) {
      if (module.is_string()) module = rename(module.get<std::string>());
    }
  }
}

}  // namespace

Adapter with_names_here(Adapter adapter, const AdaptableEncoder& encoder) {
  const Modules modules(encoder);
  std::erase_if(adapter.tensors,
                [&](const Parameters::Entry& entry) { return is_missing(entry.first, encoder); });
  for (auto& [name, tensor] : adapter.tensors) name = modules.tensor_here(name);
  if (const auto list = adapter.config.find("target_modules");
      list != adapter.config.end() && list->is_array()) {
    std::erase_if(list->get_ref<Json::array_t&>(), [&](const Json& module) {
      return module.is_string() && is_missing(module.get<std::string>(), encoder);
    });
  }
  rename_modules(adapter.config, [&](const std::string& name) {
    const bool whole = name.find('.') != std::string::npos;
    const std::string here = whole ? modules.here(name) : "";
    return here.empty() ? name : here;
  });
  return adapter;
}

Adapter with_names_there(Adapter adapter, const AdaptableEncoder& encoder) {
  if (encoder.family != "vit" && encoder.family != "dinov2") return adapter;
  const auto there = [&](const std::string& name) { return vit_there(encoder.family, name); };
  for (auto& [name, tensor] : adapter.tensors) name = there(name);
  rename_modules(adapter.config, there);
  return adapter;
}

}  // namespace espalier
