// The distinct resolved forms of each section over a whole sweep, each made once.
#pragma once

#include "experiment/source.hpp"
#include <array>
#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/plugin/catalog.hpp>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "expand_internal.hpp"

namespace espalier {

// The keys of a trial's configuration, sorted.
inline constexpr std::array<std::string_view, 13> trial_sections = {
    "budget", "captioner", "dataset",  "encoder", "gnn",   "graph", "head",
    "nodes",  "peft",      "protocol", "seed",    "train", "tune"};
inline constexpr std::size_t dataset_section = 2;
inline constexpr std::size_t seed_section = 10;

// Index into trial_sections, or their number.
[[nodiscard]] std::size_t section_index(std::string_view name);

struct Variant {
  Json resolved;                  // null where a component is unknown
  Json given;                     // as written, of a section that a preset may fill
  bool sound = true;              // false also where what is wrong was said before
  std::vector<Problem> problems;  // what is wrong with it
};

class Variants {
 public:
  Variants(const ExperimentSource& source, const Catalog& catalog, const Expansion& expansion);

  // The variant of a section in a row, made if it is new.
  std::uint32_t find(std::size_t section, const std::vector<std::uint32_t>& row);
  [[nodiscard]] const Variant& at(std::size_t section, std::uint32_t variant) const {
    return sections_[section].variants[variant];
  }
  // With other values in the place of some of a resolved section's, or of its defaults.
  [[nodiscard]] Variant changed(std::size_t section, std::uint32_t variant,
                                const Json& values) const;
  [[nodiscard]] Variant preset(std::size_t section, std::uint32_t variant,
                               const Json& defaults) const;
  // `train` where a section `tune` takes the place of some settings: with those of the first
  // candidate, whatever was given.
  [[nodiscard]] Variant tuned(std::size_t train, std::uint32_t variant, const Json& first) const;
  // Its number.
  std::uint32_t add(std::size_t section, Variant variant) {
    sections_[section].variants.push_back(std::move(variant));
    return static_cast<std::uint32_t>(sections_[section].variants.size() - 1);
  }
  [[nodiscard]] std::size_t count(std::size_t section) const {
    return sections_[section].variants.size();
  }
  // Where a dotted key of a trial was given: its axis, else as ExperimentSource::locate.
  [[nodiscard]] std::string locate(std::string_view key) const;

 private:
  struct Section {
    std::vector<std::uint32_t> axes;  // in the order in which they are set
    std::vector<Variant> variants;
    std::unordered_map<std::u32string, std::uint32_t> known;
  };

  [[nodiscard]] Variant make(std::size_t section, const std::vector<std::uint32_t>& row);
  [[nodiscard]] Json given(std::size_t section, const std::vector<std::uint32_t>& row,
                           Problems& problems) const;
  void drop_foreign_keys(std::string_view kind, Json& section, const std::string& path);
  const std::vector<std::string>& chosen(const std::string& path);
  [[nodiscard]] Json resolve_fixed(std::string_view section, const Json& given,
                                   Problems& problems) const;
  void make_component_absolute(std::string_view kind, Json& resolved) const;
  void make_paths_absolute(const SchemaInfo& schema, Json& resolved) const;

  const ExperimentSource& source_;
  const Catalog& catalog_;
  const Expansion& expansion_;
  std::array<Section, trial_sections.size()> sections_;
  std::map<std::string, std::vector<std::string>> chosen_;
};

}  // namespace espalier
