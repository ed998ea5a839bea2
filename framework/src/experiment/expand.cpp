#include <fnmatch.h>

#include <algorithm>
#include <espalier/core/random.hpp>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "expand_internal.hpp"
#include "keys_internal.hpp"
#include "value_internal.hpp"

namespace espalier {
namespace {

constexpr std::uint64_t uncountable = std::numeric_limits<std::uint64_t>::max();

// The kind of component that a key chooses: of `gnn.use`, and of `gnn.layer` where a gnn has a
// component called layer.
std::optional<std::string> kind_of(const Catalog& catalog, std::string_view key) {
  std::string kind(key.substr(0, key.find('.')));
  if (!has_use(kind) || kind == "head") return {};
  key.remove_prefix(kind.size());
  while (!key.empty() && key != ".use") {
    key.remove_prefix(1);
    const std::string_view name = key.substr(0, key.find('.'));
    key.remove_prefix(name.size());
    std::optional<std::string> inner;
    for (const ComponentInfo& component : catalog.all()) {
      const FieldInfo* field = component.kind == kind ? component.schema.find(name) : nullptr;
      if (field != nullptr && field->type == FieldType::component) inner = field->kind;
    }
    if (!inner) return {};
    kind = *inner;
  }
  return kind;
}

bool matches(const Json& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const Json& pattern) {
    return ::fnmatch(pattern.get_ref<const std::string&>().c_str(), name.c_str(), 0) == 0;
  });
}

std::vector<Json> glob(const Json& marker, const SweepAxis& axis, const Catalog& catalog,
                       Problems& problems) {
  const auto kind = kind_of(catalog, axis.key);
  std::vector<Json> names;
  for (const std::string& name : kind ? catalog.names(*kind) : std::vector<std::string>{}) {
    if (matches(marker.at("glob"), name) && !matches(marker.at("exclude"), name)) {
      names.emplace_back(name);
    }
  }
  if (!names.empty()) return names;
  std::string known;
  for (const std::string& name : kind ? catalog.names(*kind) : std::vector<std::string>{}) {
    known += (known.empty() ? "a pattern for one of " : ", ") + name;
  }
  problems.add({.what = "the glob of \"" + axis.key + "\" matches no component",
                .where = axis.where,
                .expected = kind ? known : "a key that names a component, such as gnn.use",
                .found = marker.at("glob").dump(),
                .fix = {}});
  return names;
}

// Axes that advance together.
struct Dimension {
  std::vector<std::uint32_t> axes;
  std::vector<std::vector<std::uint32_t>> values;  // of each axis, equally many
  // Of the shortest, where a mistake made them differ.
  [[nodiscard]] std::uint64_t size() const {
    std::size_t least = values.front().size();
    for (const auto& of_axis : values) least = std::min(least, of_axis.size());
    return least;
  }
};

class Expander {
 public:
  Expander(const ExperimentSource& source, const Catalog& catalog, Problems& problems)
      : source_(source), catalog_(catalog), problems_(problems) {}

  Expansion expand() {
    std::vector<std::vector<Dimension>> blocks;
    for (const SweepBlock& block : source_.blocks) blocks.push_back(dimensions(block));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto block = static_cast<std::uint32_t>(i);
      for (const std::uint64_t index : chosen(source_.blocks[i], blocks[i])) {
        result_.rows.push_back(row(block, blocks[i], index));
      }
    }
    return std::move(result_);
  }

 private:
  std::vector<Dimension> dimensions(const SweepBlock& block) {
    std::vector<Dimension> found;
    for (const SweepAxis& axis : block.grid) {
      Dimension& dimension = found.emplace_back();
      add(axis, dimension);
    }
    for (const auto& zip : block.zips) {
      Dimension& dimension = found.emplace_back();
      for (const SweepAxis& axis : zip) add(axis, dimension);
    }
    std::erase_if(found, [](const Dimension& dimension) { return dimension.size() == 0; });
    return found;
  }

  void add(const SweepAxis& axis, Dimension& dimension) {
    const auto [it, fresh] =
        axis_index_.emplace(axis.key, static_cast<std::uint32_t>(result_.axes.size()));
    if (fresh) {
      result_.axes.push_back({axis.key, {}});
      result_.axis_where.push_back(axis.where);
      value_index_.emplace_back();
    }
    dimension.axes.push_back(it->second);
    std::vector<std::uint32_t>& indices = dimension.values.emplace_back();
    for (const Json& value : axis.values) {
      if (!is_glob(value)) {
        indices.push_back(index_of(it->second, value));
        continue;
      }
      for (const Json& name : glob(value, axis, catalog_, problems_)) {
        indices.push_back(index_of(it->second, name));
      }
    }
  }

  std::uint32_t index_of(std::uint32_t axis, const Json& value) {
    std::vector<Json>& values = result_.axes[axis].values;
    const auto [it, fresh] =
        value_index_[axis].emplace(value.dump(), static_cast<std::uint32_t>(values.size()));
    if (fresh) values.push_back(value);
    return it->second;
  }

  static std::uint64_t product(const std::vector<Dimension>& dimensions) {
    std::uint64_t total = 1;
    for (const Dimension& dimension : dimensions) {
      if (dimension.size() > uncountable / total) return uncountable;
      total *= dimension.size();
    }
    return total;
  }

  // Which rows of the product a block takes, ascending.
  std::vector<std::uint64_t> chosen(const SweepBlock& block,
                                    const std::vector<Dimension>& dimensions) {
    const std::uint64_t total = product(dimensions);
    const auto sample = static_cast<std::uint64_t>(block.sample);
    const bool sampled = sample > 0 && sample < total;
    const std::uint64_t count = sampled ? sample : total;
    if (count > most_trials - std::min<std::uint64_t>(most_trials, result_.rows.size()) ||
        total == uncountable) {
      problems_.add({.what = "the sweep has too many trials",
                     .where = source_.locate("sweep"),
                     .expected = "at most " + std::to_string(most_trials),
                     .found = total == uncountable ? "more than can be counted"
                                                   : std::to_string(total) + " in one block",
                     .fix = "take values away, or draw some with `sample: {n: 1000, seed: 1}`"});
      return covering(dimensions);
    }
    std::vector<std::uint64_t> indices(count);
    for (std::uint64_t i = 0; i < count; ++i) indices[i] = i;
    return sampled ? draw(sample, total, block.sample_seed) : indices;
  }

  // Rows in which each value is once: mistakes in them are found all the same.
  static std::vector<std::uint64_t> covering(const std::vector<Dimension>& dimensions) {
    std::vector<std::uint64_t> indices{0};
    std::uint64_t stride = 1;
    for (auto dimension = dimensions.rbegin(); dimension != dimensions.rend(); ++dimension) {
      for (std::uint64_t at = 1; at < dimension->size(); ++at) indices.push_back(at * stride);
      if (dimension->size() > uncountable / stride) break;
      stride *= dimension->size();
    }
    return indices;
  }

  // Without replacement: Floyd's algorithm (Bentley and Floyd 1987).
  static std::vector<std::uint64_t> draw(std::uint64_t n, std::uint64_t total, std::int64_t seed) {
    Random random(seed, "sample");
    std::set<std::uint64_t> taken;
    for (std::uint64_t last = total - n; last < total; ++last) {
      const std::uint64_t candidate = random.below(last + 1);
      taken.insert(taken.contains(candidate) ? last : candidate);
    }
    return {taken.begin(), taken.end()};
  }

  Expansion::Row row(std::uint32_t block, const std::vector<Dimension>& dimensions,
                     std::uint64_t index) const {
    std::vector<std::uint32_t> values(result_.axes.size(), PlannedTrial::npos);
    for (auto dimension = dimensions.rbegin(); dimension != dimensions.rend(); ++dimension) {
      const std::uint64_t at = index % dimension->size();
      index /= dimension->size();
      for (std::size_t i = 0; i < dimension->axes.size(); ++i) {
        values[dimension->axes[i]] = dimension->values[i][at];
      }
    }
    return {block, std::move(values)};
  }

  const ExperimentSource& source_;
  const Catalog& catalog_;
  Problems& problems_;
  Expansion result_;
  std::map<std::string, std::uint32_t> axis_index_;
  std::vector<std::unordered_map<std::string, std::uint32_t>> value_index_;
};

}  // namespace

Expansion expand(const ExperimentSource& source, const Catalog& catalog, Problems& problems) {
  return Expander(source, catalog, problems).expand();
}

}  // namespace espalier
