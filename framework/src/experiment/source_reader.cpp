#include <algorithm>
#include <espalier/core/predicate.hpp>
#include <espalier/core/words.hpp>
#include <optional>
#include <utility>

#include "keys_internal.hpp"
#include "source_internal.hpp"
#include "value_internal.hpp"

namespace espalier {
namespace {

Json to_json(const YamlNode& node) {
  switch (node.type) {
    case YamlNode::Type::null:
      return nullptr;
    case YamlNode::Type::scalar:
      return node.plain ? plain_value(node.text) : Json(node.text);
    case YamlNode::Type::list:
      break;
    case YamlNode::Type::map: {
      Json object = Json::object();
      for (const auto& [key, value] : node.members) object[key.text] = to_json(value);
      return object;
    }
  }
  Json list = Json::array();
  for (const YamlNode& item : node.items) list.push_back(to_json(item));
  return list;
}

class Reader {
 public:
  Reader(ExperimentSource& source, Problems& problems) : source_(source), problems_(problems) {}

  void read(const YamlNode& root) {
    if (!is_map(root, "the experiment")) return;
    known_keys(root, {"name", "about", "base", "sweep", "limits"}, "", "base");
    if (const YamlNode* node = root.find("name")) source_.name = text(*node, "name");
    if (const YamlNode* node = root.find("about")) source_.about = text(*node, "about");
    if (const YamlNode* node = root.find("base"); node && is_map(*node, "base")) base(*node, "");
    if (const YamlNode* node = root.find("limits"); node && is_map(*node, "limits")) {
      source_.limits = to_json(*node);
      for (const auto& [key, value] : node->members) remember("limits." + key.text, key);
    }
    if (const YamlNode* node = root.find("sweep")) sweep(*node);
  }

 private:
  [[nodiscard]] std::string at(const YamlNode& node) const {
    return place(source_.file, node.line);
  }

  void problem(const YamlNode& node, std::string what, std::string expected, std::string found = {},
               std::string fix = {}) {
    problems_.add({.what = std::move(what),
                   .where = at(node),
                   .expected = std::move(expected),
                   .found = std::move(found),
                   .fix = std::move(fix)});
  }

  bool is_map(const YamlNode& node, const std::string& name) {
    if (node.type == YamlNode::Type::map) return true;
    problem(node, name + " is no mapping", "lines such as `key: value`", to_json(node).dump());
    return false;
  }

  std::string text(const YamlNode& node, const std::string& name) {
    remember(name, node);
    if (node.type == YamlNode::Type::scalar) return node.text;
    problem(node, "\"" + name + "\" is no text", "one line of text");
    return {};
  }

  // `home` is where sections stand that have been written here.
  void known_keys(const YamlNode& map, const std::vector<std::string>& known,
                  const std::string& prefix, const std::string& home) {
    for (const auto& [key, value] : map.members) {
      if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
      const std::string section(section_of(key.text));
      const bool misplaced = is_section(section);
      if (misplaced) source_.unread.insert(section);
      problem(key, "unknown key \"" + prefix + key.text + "\"", "one of " + joined(known), {},
              misplaced ? "write it under \"" + home + "\"" : did_you_mean(key.text, known));
    }
  }

  void remember(const std::string& key, const YamlNode& node) {
    if (const auto [known, fresh] = source_.where.emplace(key, at(node)); !fresh) {
      problem(node, "the key \"" + key + "\" is there twice", {}, "first at " + known->second,
              "keep one of them");
    }
  }

  bool is_key(const std::string& key, const YamlNode& name) {
    return check_source_key(key, at(name), source_, problems_);
  }

  void base(const YamlNode& map, const std::string& prefix) {
    for (const auto& [name, value] : map.members) {
      const std::string key = prefix + name.text;
      if (prefix.empty() && !is_key(key, name)) continue;
      remember(key, name);
      if (value.type == YamlNode::Type::map && !value.members.empty()) {
        base(value, key + ".");
      } else if (!set_value(source_.base, key, to_json(value))) {
        problem(name, "a key above \"" + key + "\" holds a value, no section", {});
      }
    }
  }

  void sweep(const YamlNode& node) {
    if (node.type == YamlNode::Type::map) return block(node);
    if (node.type != YamlNode::Type::list || node.items.empty()) {
      return problem(node, "\"sweep\" is no list of blocks", "`- grid: {graph.tau: [0.5, 0.7]}`");
    }
    for (const YamlNode& item : node.items) {
      if (is_map(item, "a block of \"sweep\"")) block(item);
    }
  }

  void block(const YamlNode& node) {
    known_keys(node, {"grid", "zip", "sample", "when", "exclude"}, "sweep.", "grid");
    SweepBlock& made = source_.blocks.emplace_back();
    if (const YamlNode* grid = node.find("grid"); grid && is_map(*grid, "grid")) {
      axes(*grid, "", made.grid);
    }
    if (const YamlNode* zip = node.find("zip")) {
      const bool one = zip->type != YamlNode::Type::list;
      for (const YamlNode& item : one ? std::vector<YamlNode>{*zip} : zip->items) {
        if (is_map(item, "zip")) zipped(item, made);
      }
    }
    if (const YamlNode* sample = node.find("sample")) sampled(*sample, made);
    conditions(node, "when", made.when);
    conditions(node, "exclude", made.exclude);
    refuse_twins(made, node);
  }

  void axes(const YamlNode& map, const std::string& prefix, std::vector<SweepAxis>& out) {
    for (const auto& [name, value] : map.members) {
      const std::string key = prefix + name.text;
      if (value.type == YamlNode::Type::map) {
        axes(value, key + ".", out);
        continue;
      }
      if (!is_key(key, name)) continue;
      std::vector<Json> values = axis_values(value, key, name);
      if (values.empty()) {
        source_.unread.emplace(section_of(key));
        continue;
      }
      std::string full = axis_key(key, values);
      out.push_back({std::move(full), std::move(values), at(name)});
    }
  }

  // None where there is a mistake.
  std::vector<Json> axis_values(const YamlNode& node, const std::string& key,
                                const YamlNode& name) try {
    std::vector<Json> values;
    if (node.type == YamlNode::Type::list) {
      const Json list = to_json(node);
      values.assign(list.begin(), list.end());
    } else if (node.type == YamlNode::Type::scalar) {
      values = is_function(node.text) ? parse_value(node.text, at(node)).values
                                      : std::vector{to_json(node)};
    }
    if (values.empty()) {
      problem(name, "the axis \"" + key + "\" has no values", "at least one value");
    }
    return values;
  } catch (const Error& error) {
    for (const Problem& found : error.problems()) problems_.add(found);
    return {};
  }

  void zipped(const YamlNode& map, SweepBlock& block) {
    std::vector<SweepAxis> zip;
    axes(map, "", zip);
    std::string lengths;
    bool equal = true;
    for (const SweepAxis& axis : zip) {
      lengths +=
          (lengths.empty() ? "" : ", ") + axis.key + " has " + std::to_string(axis.values.size());
      equal = equal && axis.values.size() == zip.front().values.size();
      if (std::any_of(axis.values.begin(), axis.values.end(), is_glob)) {
        problem(map, "\"" + axis.key + "\": a glob cannot be zipped", "a list of names");
      }
    }
    if (!equal) problem(map, "the axes of a zip differ in length", "equally many values", lengths);
    if (!zip.empty()) block.zips.push_back(std::move(zip));
  }

  void sampled(const YamlNode& node, SweepBlock& block) {
    Json given = to_json(node);
    if (!given.is_object()) given = Json{{"n", given}};
    if (node.type == YamlNode::Type::map) known_keys(node, {"n", "seed"}, "sample.", "grid");
    const Json n = given.value("n", Json());
    const Json seed = given.value("seed", Json(1));
    const auto whole = [](const Json& value, std::int64_t least) {
      return value.is_number_integer() && value.get<std::int64_t>() >= least;
    };
    if (!whole(n, 1) || !whole(seed, 0)) {
      return problem(node, "\"sample\" cannot be read", "a number, or {n: 20, seed: 1}",
                     given.dump());
    }
    block.sample = n.get<std::int64_t>();
    block.sample_seed = seed.get<std::int64_t>();
  }

  void conditions(const YamlNode& block, const std::string& name,
                  std::vector<std::pair<std::string, std::string>>& out) {
    const YamlNode* node = block.find(name);
    if (node == nullptr) return;
    const bool one = node->type != YamlNode::Type::list;
    for (const YamlNode& item : one ? std::vector<YamlNode>{*node} : node->items) {
      const std::string text = item.type == YamlNode::Type::scalar ? item.text : "";
      if (readable(text, at(item) + ", " + name)) out.emplace_back(text, at(item));
    }
  }

  bool readable(const std::string& condition, const std::string& where) try {
    (void)Predicate::parse(condition, where);
    return true;
  } catch (const Error& error) {
    for (const Problem& found : error.problems()) problems_.add(found);
    return false;
  }

  void refuse_twins(const SweepBlock& block, const YamlNode& node) {
    std::vector<std::string> keys;
    for (const SweepAxis& axis : block.grid) keys.push_back(axis.key);
    for (const auto& zip : block.zips) {
      for (const SweepAxis& axis : zip) keys.push_back(axis.key);
    }
    std::sort(keys.begin(), keys.end());
    const auto twin = std::adjacent_find(keys.begin(), keys.end());
    if (twin != keys.end()) {
      problem(node, "the axis \"" + *twin + "\" is there twice in one block", {}, {},
              "keep one of them, or write two blocks");
    }
  }

  ExperimentSource& source_;
  Problems& problems_;
};

}  // namespace

void read_experiment(const YamlNode& root, ExperimentSource& source, Problems& problems) {
  Reader(source, problems).read(root);
}

}  // namespace espalier
