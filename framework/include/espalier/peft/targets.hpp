// Which places of an encoder a method changes: by tower, layer, part, module name or expression.
//
// A method's parameters derive from these, so that all methods are told their places alike:
//
//   struct Params : espalier::TargetParams {
//     Params() { target_modules = {"q", "v"}; }
//     ...
//   };
//   void bind(espalier::Schema<Params>& s) {
//     bind_targets(s);
//     ...
//   }
#pragma once

#include <cstdint>
#include <espalier/core/schema.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/parameters.hpp>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Layers of towers.
struct LayerParams {
  std::string towers = "both";
  std::vector<std::int64_t> layers_to_transform;  // counted from 0; empty: all
  std::int64_t top_layers = 0;                    // with what is behind them; 0: all
};

// Modules in them.
struct TargetParams : LayerParams {
  std::vector<std::string> target_modules;
  std::string target_regex;  // instead of target_modules
  std::vector<std::string> exclude_modules;
  std::vector<std::string> modules_to_save;  // trained whole beside them
};

template <class Params>
void bind_layers(Schema<Params>& s) {
  s.template field<std::string>("towers", &Params::towers)
      .choices({"image", "text", "both"})
      .doc("Towers of the encoder, of those that the trial looks at");
  s.template field<std::vector<std::int64_t>>("layers_to_transform", &Params::layers_to_transform)
      .range(0, 1000)
      .doc("Layers, counted from 0, without what is around them; empty for all");
  s.template field<std::int64_t>("top_layers", &Params::top_layers)
      .range(0, 1000)
      .doc("Layers from the top, with what is behind them; 0 for the whole tower");
  s.check("top_layers == 0 or layers_to_transform == []",
          "layers_to_transform and top_layers both choose layers: give one of them");
}

template <class Params>
void bind_targets(Schema<Params>& s) {
  bind_layers(s);
  s.template field<std::vector<std::string>>("target_modules", &Params::target_modules)
      .doc(
          "Modules: a part (q, k, v, out, fc1, fc2, projection), all-linear, or the end of a "
          "module's name as Hugging Face has it");
  s.template field<std::string>("target_regex", &Params::target_regex)
      .doc("Modules by a regular expression over their whole names, instead of target_modules");
  s.template field<std::vector<std::string>>("exclude_modules", &Params::exclude_modules)
      .doc("Modules to leave out, written as those of target_modules");
  s.template field<std::vector<std::string>>("modules_to_save", &Params::modules_to_save)
      .doc("Modules whose weights are trained whole, by the end of their names");
}

// Presets of methods that have rates for pictures of nobody: those under which Hugging Face PEFT
// compares its methods (method_comparison/MetaMathQA), with what it sets for this one, `own`.
void compared_by_peft(detail::SchemaFields& s, const Json& own = Json::object());

// Whether a place in a layer, counted as tower.hpp does, is among those chosen. The feature does
// not depend on what is behind its site.
[[nodiscard]] bool chosen(const LayerParams& layers, TowerKind tower, std::int64_t layer,
                          const AdaptableEncoder& encoder);
// Throws Error where the choice names layers that a chosen tower has not: top_layers beyond one of
// them, or a layer that none of them has.
void require_layers(const LayerParams& layers, const AdaptableEncoder& encoder);

// The sites of some roles that are chosen, in the order of the encoder. None where the encoder has
// no chosen tower. Throws Error where a tower is there and nothing matches, with what could; where
// a module of the list matches nothing; where the expression does not compile, or is too large to
// be matched in linear time.
[[nodiscard]] std::vector<Site*> find_targets(const AdaptableEncoder& encoder,
                                              std::initializer_list<SiteRole> roles,
                                              const TargetParams& targets);
[[nodiscard]] inline std::vector<Site*> find_targets(const AdaptableEncoder& encoder, SiteRole role,
                                                     const TargetParams& targets) {
  return find_targets(encoder, {role}, targets);
}

// Those of one role and part in one tower, from the bottom up.
[[nodiscard]] std::vector<Site*> tower_sites(const AdaptableEncoder& encoder, TowerKind tower,
                                             SiteRole role, std::string_view part);

// The name of the layer that a site is in.
[[nodiscard]] const std::string& layer_of(const Site& site, const AdaptableEncoder& encoder);

// Puts parameters into all weights of the modules that are trained whole (modules_to_save), under
// the weights' names. Throws Error where one of them is not there.
void train_whole(const AdaptableEncoder& encoder, const TargetParams& targets,
                 Parameters& parameters);

// Whether a module of a list means a site: its part, what some family calls such a part (`q_proj`,
// `query`), its name, or what that ends with behind a dot. `all-linear` means every linear site but
// the patch embedding, `all-inner` every one but the projection to the feature, `all-norm` every
// norm.
[[nodiscard]] bool means(std::string_view module, const Site& site);

// In the order in which Hugging Face's classes have their modules, by which some of PEFT's methods
// number the maps that they change.
[[nodiscard]] std::vector<Site*> in_published_order(std::vector<Site*> sites);

// Values for some modules: `NAME=VALUE`, where NAME is an expression that a module's name, or the
// end of it behind a dot, matches whole. The first that matches counts, else `otherwise`.
class ModulePattern {
 public:
  // Throws Error on what has another form or is no number of at least `least`, which by default is
  // the smallest above 0; `key` is for messages.
  ModulePattern(const std::vector<std::string>& entries, double otherwise, std::string_view key,
                double least = std::numeric_limits<double>::min());
  [[nodiscard]] double of(std::string_view module) const;
  [[nodiscard]] const std::vector<std::pair<std::string, double>>& entries() const noexcept {
    return entries_;
  }

 private:
  std::vector<std::pair<std::string, double>> entries_;
  double otherwise_;
};

}  // namespace espalier
