#include <espalier/peft/targets.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <map>
#include <set>

#include "own_weight_internal.hpp"

namespace espalier {
namespace {

constexpr std::int64_t regex_memory = 1 << 20;

class Expression {
 public:
  Expression(const std::string& text, std::string_view key) : compiled_(text, options()) {
    if (compiled_.ok()) return;
    throw Error({.what = "peft." + std::string(key) + " is no regular expression",
                 .where = {},
                 .expected = "the syntax that Python and RE2 share, without look-around and "
                             "back-references",
                 .found = text + ": " + compiled_.error(),
                 .fix = {}});
  }
  [[nodiscard]] bool matches(std::string_view name) const {
    return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), compiled_);
  }

 private:
  static RE2::Options options() {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(regex_memory);
    return options;
  }
  RE2 compiled_;
};

bool has_tower(const LayerParams& layers, TowerKind tower, const AdaptableEncoder& encoder) {
  const bool there =
      tower == TowerKind::image ? encoder.image() != nullptr : encoder.text() != nullptr;
  return there && (layers.towers == "both" || layers.towers == to_string(tower));
}

const Tower& tower_of(const AdaptableEncoder& encoder, TowerKind kind) {
  if (kind == TowerKind::image) return *encoder.image();
  return *encoder.text();
}

std::vector<TowerKind> chosen_towers(const LayerParams& layers, const AdaptableEncoder& encoder) {
  std::vector<TowerKind> towers;
  for (const TowerKind kind : {TowerKind::image, TowerKind::text}) {
    if (has_tower(layers, kind, encoder)) towers.push_back(kind);
  }
  return towers;
}

bool meant(const std::vector<std::string>& modules, const Site& site) {
  return std::ranges::any_of(modules,
                             [&](const std::string& module) { return means(module, site); });
}

// What a person may write, from the sites that are there.
std::string parts_of(const std::vector<Site*>& sites) {
  std::set<std::string> parts;
  for (const Site* site : sites) parts.insert(site->part);
  return joined({parts.begin(), parts.end()});
}

[[noreturn]] void nothing_matches(const std::string& what, const std::string& found,
                                  const std::vector<Site*>& sites) {
  if (sites.empty()) {
    throw Error({.what = what,
                 .where = {},
                 .expected = "a module of the chosen layers",
                 .found = "none there that the method could change",
                 .fix = "other layers, another method, or another encoder"});
  }
  throw Error({.what = what,
               .where = {},
               .expected = "one of the parts " + parts_of(sites) +
                           ", or the end of a name such as " + sites.front()->name,
               .found = found,
               .fix = {}});
}

void require_matches(const TargetParams& targets, const std::vector<Site*>& candidates) {
  for (const std::string& module : targets.target_modules) {
    if (std::ranges::any_of(candidates, [&](Site* site) { return means(module, *site); })) continue;
    nothing_matches("peft.target_modules names a module that is not there", module, candidates);
  }
}

// What families call the maps of a layer, in checkpoints and in Transformers 5.
bool is_called(std::string_view part, std::string_view word) {
  static const std::map<std::string_view, std::set<std::string_view>> names = {
      {"q", {"q_proj", "query", "q_lin"}},
      {"k", {"k_proj", "key", "k_lin"}},
      {"v", {"v_proj", "value", "v_lin"}},
      {"out", {"out_proj", "o_proj", "out_lin"}},
      {"fc1", {"fc1", "lin1"}},
      {"fc2", {"fc2", "lin2"}}};
  const auto found = names.find(part);
  return found != names.end() && found->second.contains(word);
}

}  // namespace

bool means(std::string_view module, const Site& site) {
  if (module == "all-linear") return site.role == SiteRole::linear && site.part != "patch";
  if (module == "all-inner") return site.role == SiteRole::linear && site.part != "projection";
  if (module == "all-norm") return site.role == SiteRole::norm;
  return site.part == module || site.name == module || is_called(site.part, module) ||
         site.name.ends_with("." + std::string(module));
}

bool chosen(const LayerParams& layers, TowerKind tower, std::int64_t layer,
            const AdaptableEncoder& encoder) {
  if (!has_tower(layers, tower, encoder)) return false;
  const std::int64_t top = tower_of(encoder, tower).layers();
  if (layer > top + 1) return false;
  if (!layers.layers_to_transform.empty()) {
    return layer >= 0 && layer < top && std::ranges::count(layers.layers_to_transform, layer) > 0;
  }
  return layers.top_layers == 0 || layer >= top - layers.top_layers;
}

void require_layers(const LayerParams& layers, const AdaptableEncoder& encoder) {
  const std::vector<TowerKind> towers = chosen_towers(layers, encoder);
  std::int64_t most = 0;
  for (const TowerKind kind : towers) {
    const std::int64_t has = tower_of(encoder, kind).layers();
    most = std::max(most, has);
    if (layers.top_layers <= has) continue;
    throw Error(
        {.what = "peft.top_layers is more than the " + std::string(to_string(kind)) + " tower has",
         .where = {},
         .expected = "at most " + std::to_string(has),
         .found = std::to_string(layers.top_layers),
         .fix = "0 means the whole tower"});
  }
  for (const std::int64_t layer : layers.layers_to_transform) {
    if (towers.empty() || layer < most) continue;
    throw Error({.what = "peft.layers_to_transform names a layer that no chosen tower has",
                 .where = {},
                 .expected = "0 to " + std::to_string(most - 1),
                 .found = std::to_string(layer),
                 .fix = {}});
  }
}

std::vector<Site*> find_targets(const AdaptableEncoder& encoder,
                                std::initializer_list<SiteRole> roles,
                                const TargetParams& targets) {
  require_layers(targets, encoder);
  if (chosen_towers(targets, encoder).empty()) return {};
  std::vector<Site*> candidates;
  for (Site* site : encoder.sites()) {
    if (std::ranges::count(roles, site->role) == 0) continue;
    if (chosen(targets, site->tower, site->layer, encoder)) candidates.push_back(site);
  }
  std::vector<Site*> found;
  if (targets.target_regex.empty()) {
    require_matches(targets, candidates);
    std::ranges::copy_if(candidates, std::back_inserter(found),
                         [&](Site* site) { return meant(targets.target_modules, *site); });
  } else {
    const Expression expression(targets.target_regex, "target_regex");
    std::ranges::copy_if(candidates, std::back_inserter(found),
                         [&](Site* site) { return expression.matches(site->name); });
  }
  std::erase_if(found, [&](Site* site) { return meant(targets.exclude_modules, *site); });
  if (found.empty()) {
    const bool regex = !targets.target_regex.empty();
    nothing_matches("no module of the encoder is one that the method is to change",
                    regex ? targets.target_regex : joined(targets.target_modules), candidates);
  }
  return found;
}

std::vector<Site*> tower_sites(const AdaptableEncoder& encoder, TowerKind tower, SiteRole role,
                               std::string_view part) {
  std::vector<Site*> sites = encoder.sites(role, part);
  std::erase_if(sites, [&](const Site* site) { return site->tower != tower; });
  return sites;
}

const std::string& layer_of(const Site& site, const AdaptableEncoder& encoder) {
  const auto layers = tower_sites(encoder, site.tower, SiteRole::tokens, "layer");
  return layers.at(static_cast<std::size_t>(site.layer))->name;
}

void train_whole(const AdaptableEncoder& encoder, const TargetParams& targets,
                 Parameters& parameters) {
  for (const std::string& module : targets.modules_to_save) {
    const std::size_t before = parameters.entries().size();
    for (const WeightSlot& weight : encoder.weights()) {
      const std::string path = weight.name.substr(0, weight.name.rfind('.'));
      if (path != module && !path.ends_with("." + module)) continue;
      require_float(weight.name, weight.frozen);
      *weight.slot = parameters.add(weight.name, weight.frozen);
    }
    if (parameters.entries().size() > before) continue;
    throw Error({.what = "peft.modules_to_save names a module that the encoder has not",
                 .where = {},
                 .expected = "the name of a module with weights, or the end of it behind a dot",
                 .found = module,
                 .fix = {}});
  }
}

namespace {

// Texts before pictures, projections last; where an attention is called self_attn, keys and values
// before queries.
std::pair<int, int> rank_of_place(const Site& site) {
  const bool beside = site.name.find('.') == std::string::npos;
  const int tower = site.tower == TowerKind::text ? 0 : 1;
  const int group = beside ? 3 - tower : tower;
  const std::string_view name = site.name;
  if (name.ends_with(".self_attn.k_proj")) return {group, -3};
  if (name.ends_with(".self_attn.v_proj")) return {group, -2};
  if (name.ends_with(".self_attn.q_proj")) return {group, -1};
  return {group, 0};
}

}  // namespace

std::vector<Site*> in_published_order(std::vector<Site*> sites) {
  std::ranges::stable_sort(sites, [](const Site* a, const Site* b) {
    const auto [group_a, part_a] = rank_of_place(*a);
    const auto [group_b, part_b] = rank_of_place(*b);
    if (group_a != group_b) return group_a < group_b;
    return a->layer != b->layer ? a->layer < b->layer : part_a < part_b;
  });
  return sites;
}

ModulePattern::ModulePattern(const std::vector<std::string>& entries, double otherwise,
                             std::string_view key, double least)
    : otherwise_(otherwise) {
  for (const std::string& entry : entries) {
    const std::size_t equals = entry.rfind('=');
    double value = -1;
    if (equals != std::string::npos) {
      const char* const end = entry.data() + entry.size();
      const auto read = std::from_chars(entry.data() + equals + 1, end, value);
      if (read.ec != std::errc() || read.ptr != end) value = -1;
    }
    if (!(value >= least)) {
      throw Error({.what = "peft." + std::string(key) + " has an entry of another form",
                   .where = {},
                   .expected = "MODULE=NUMBER, such as layers.11.self_attn.q_proj=16",
                   .found = entry,
                   .fix = {}});
    }
    entries_.emplace_back(entry.substr(0, equals), value);
    (void)Expression("(.*\\.)?(" + entries_.back().first + ")", key);
  }
}

double ModulePattern::of(std::string_view module) const {
  for (const auto& [name, value] : entries_) {
    if (Expression("(.*\\.)?(" + name + ")", "pattern").matches(module)) return value;
  }
  return otherwise_;
}

void compared_by_peft(detail::SchemaFields& s, const Json& own) {
  Json train{{"lr", 1e-4},      {"weight_decay", 0.1}, {"schedule", "cosine"},
             {"batch_size", 4}, {"clip_norm", 1.0},    {"warmup", 0}};
  train.update(own);
  s.paper(std::move(train), "Hugging Face PEFT's comparison of methods, method_comparison");
}

}  // namespace espalier
