#include <algorithm>
#include <espalier/core/words.hpp>
#include <optional>
#include <set>
#include <utility>

#include "keys_internal.hpp"
#include "override_internal.hpp"
#include "source_internal.hpp"
#include "value_internal.hpp"

namespace espalier {
namespace {

enum class Operation { set, add, force, remove };

struct Override {
  Operation operation = Operation::set;
  std::string key;
  std::optional<std::string> value;
  std::string where;
};

Override split(const std::string& text) {
  Override result;
  result.where = std::string(on_command_line) + text.substr(0, 200);
  if (!is_utf8(text)) {
    throw Error({.what = "an override is not UTF-8",
                 .where = result.where,
                 .expected = "key=value in UTF-8",
                 .found = {},
                 .fix = "write what its bytes stand for in UTF-8, or rename the file"});
  }
  std::string_view rest = text;
  if (rest.starts_with("++")) {
    result.operation = Operation::force;
    rest.remove_prefix(2);
  } else if (rest.starts_with("+")) {
    result.operation = Operation::add;
    rest.remove_prefix(1);
  } else if (rest.starts_with("~")) {
    result.operation = Operation::remove;
    rest.remove_prefix(1);
  }
  const std::size_t equals = rest.find('=');
  result.key = rest.substr(0, equals);
  if (equals != std::string_view::npos) result.value = rest.substr(equals + 1);
  return result;
}

template <class Matches>
bool remove_axes_that(std::vector<SweepBlock>& blocks, const Matches& matches) {
  std::size_t removed = 0;
  for (SweepBlock& block : blocks) {
    removed += std::erase_if(block.grid, matches);
    for (auto& zip : block.zips) removed += std::erase_if(zip, matches);
    std::erase_if(block.zips, [](const auto& zip) { return zip.empty(); });
  }
  return removed > 0;
}

// Takes the axes of `key` and below it out of the sweep; true where there were any.
bool remove_axes(std::vector<SweepBlock>& blocks, std::string_view key) {
  return remove_axes_that(blocks, [&](const SweepAxis& axis) { return is_under(axis.key, key); });
}

// `gnn` of `gnn.use`; empty where the key does not end so.
std::string_view chosen_section(std::string_view key) {
  constexpr std::string_view end = ".use";
  return key.ends_with(end) ? key.substr(0, key.size() - end.size()) : std::string_view{};
}

// Whoever chooses a component by `gnn.use` does not want the one that an axis of whole `gnn`
// sections brings.
void remove_section_axis(std::vector<SweepBlock>& blocks, std::string_view key) {
  const std::string_view section = chosen_section(key);
  remove_axes_that(blocks, [&](const SweepAxis& axis) { return axis.key == section; });
}

template <class Visit>
void for_each_axis(const std::vector<SweepBlock>& blocks, const Visit& visit) {
  for (const SweepBlock& block : blocks) {
    for (const SweepAxis& axis : block.grid) visit(axis);
    for (const auto& zip : block.zips) {
      for (const SweepAxis& axis : zip) visit(axis);
    }
  }
}

// The components that the file names stay known, so that its keys for them are no mistakes.
void remember_replaced(ExperimentSource& source, std::string_view key) {
  const std::string section(chosen_section(key).empty() ? key : chosen_section(key));
  std::vector<std::string>& names = source.replaced[section];
  const auto remember = [&](const Json& value) {
    if (value.is_string()) names.push_back(value.get<std::string>());
  };
  for (const std::string& path : {section, section + ".use"}) {
    if (const Json* held = value_under(source.base, path)) remember(*held);
    for_each_axis(source.blocks, [&](const SweepAxis& axis) {
      if (axis.key == path) std::for_each(axis.values.begin(), axis.values.end(), remember);
    });
  }
}

bool is_swept(const std::vector<SweepBlock>& blocks, std::string_view key) {
  bool swept = false;
  for_each_axis(blocks, [&](const SweepAxis& axis) { swept = swept || is_under(axis.key, key); });
  return swept;
}

// In every block: in the place of a grid axis of that key, else behind the others.
void set_axis(ExperimentSource& source, const SweepAxis& axis) {
  if (source.blocks.empty()) source.blocks.emplace_back();
  for (SweepBlock& block : source.blocks) {
    const auto same = std::find_if(block.grid.begin(), block.grid.end(),
                                   [&](const SweepAxis& old) { return old.key == axis.key; });
    if (same != block.grid.end()) {
      *same = axis;
      continue;
    }
    for (auto& zip : block.zips) {
      std::erase_if(zip, [&](const SweepAxis& old) { return old.key == axis.key; });
    }
    std::erase_if(block.zips, [](const auto& zip) { return zip.empty(); });
    block.grid.push_back(axis);
  }
}

class Application {
 public:
  Application(ExperimentSource& source, Problems& problems)
      : source_(source), problems_(problems) {}

  void apply(const Override& change) {
    if (change.operation != Operation::remove && !change.value) {
      return problem(change, "an override has no value", "key=value, or ~key to leave a key out");
    }
    if (change.key == "name" || change.key == "about" || change.key.starts_with("limits.")) {
      return set_heading(change);
    }
    if (!check_source_key(change.key, change.where, source_, problems_)) return;
    change.operation == Operation::remove ? remove(change) : set(change);
  }

 private:
  void problem(const Override& change, std::string what, std::string expected = {},
               std::string fix = {}) {
    problems_.add({.what = std::move(what),
                   .where = change.where,
                   .expected = std::move(expected),
                   .found = {},
                   .fix = std::move(fix)});
  }

  void set_heading(const Override& change) {
    const ParsedValue parsed = parse_value(change.value.value_or(""), change.where);
    if (parsed.axis || change.operation == Operation::remove) {
      return problem(change, "\"" + change.key + "\" cannot be swept or left out");
    }
    const Json& value = parsed.values.front();
    source_.where[change.key] = change.where;
    if (change.key.starts_with("limits.")) {
      source_.limits[change.key.substr(7)] = value;
    } else {
      (change.key == "name" ? source_.name : source_.about) =
          value.is_string() ? value.get<std::string>() : value.dump();
    }
  }

  void set(const Override& change) {
    const bool there =
        value_under(source_.base, change.key) != nullptr || is_swept(source_.blocks, change.key);
    if (change.operation == Operation::add && there) {
      return problem(change, "\"" + change.key + "\" is there already", {},
                     "leave the + away to change it");
    }
    ParsedValue parsed = parse_value(*change.value, change.where);
    if (parsed.values.empty()) {
      return problem(change, "the axis \"" + change.key + "\" has no values");
    }
    const std::string key = axis_key(change.key, parsed.values);
    if (parsed.values.front().is_string()) remember_replaced(source_, key);
    warn_of_replaced_axes(change, key);
    remove_section_axis(source_.blocks, key);
    if (parsed.axis) return set_axis(source_, {key, std::move(parsed.values), change.where});
    remove_axes(source_.blocks, key);
    if (!set_value(source_.base, key, std::move(parsed.values.front()))) {
      return problem(change, "a key above \"" + key + "\" holds a value, no section");
    }
    source_.where[key] = change.where;
  }

  // An axis of the file goes where its key, one above it, or its component is set.
  void warn_of_replaced_axes(const Override& change, std::string_view key) {
    std::set<std::string> seen;
    for_each_axis(source_.blocks, [&](const SweepAxis& axis) {
      const bool replaced = is_under(axis.key, key) || axis.key == chosen_section(key);
      if (!replaced || axis.where.starts_with(on_command_line)) return;
      if (!seen.insert(axis.key + axis.where).second) return;
      source_.warnings.push_back(change.where.substr(on_command_line.size()) +
                                 " takes the place of the axis " + axis.key + " at " + axis.where +
                                 ", which has " + std::to_string(axis.values.size()) +
                                 (axis.values.size() == 1 ? " value" : " values"));
    });
  }

  void remove(const Override& change) {
    if (change.value) {
      const ParsedValue parsed = parse_value(*change.value, change.where);
      const Json* held = value_under(source_.base, axis_key(change.key, parsed.values));
      if (held == nullptr || parsed.axis || *held != parsed.values.front()) {
        return problem(change, "\"" + change.key + "\" does not hold this value",
                       held == nullptr ? "" : held->dump());
      }
    }
    const bool swept = remove_axes(source_.blocks, change.key);
    const bool held = erase_value(source_.base, change.key);
    if (swept || held) return;
    std::vector<std::string> known;
    for (const auto& [key, where] : source_.where) known.push_back(key);
    problem(change, "there is no \"" + change.key + "\" to leave out", {},
            did_you_mean(change.key, known, "~"));
  }

  ExperimentSource& source_;
  Problems& problems_;
};

}  // namespace

void apply_overrides(const std::vector<std::string>& overrides, ExperimentSource& source,
                     Problems& problems) {
  Application application(source, problems);
  for (const std::string& text : overrides) {
    try {
      application.apply(split(text));
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems.add(problem);
    }
  }
}

}  // namespace espalier
