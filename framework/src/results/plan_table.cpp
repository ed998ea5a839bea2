#include "results/sweep_table.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <functional>
#include <set>

namespace espalier {
namespace {

constexpr std::int64_t plan_version = 1;
constexpr std::size_t largest_plan = std::size_t{2} << 30;

[[noreturn]] void unusable(const std::filesystem::path& file, std::string what, std::string found) {
  throw Error({.what = std::move(what),
               .where = file.string(),
               .expected = {},
               .found = std::move(found),
               .fix = "espalier run writes it anew; trials that are done stay done"});
}

using Sections = std::set<std::string, std::less<>>;

// Sections of the configuration of which something is needed.
Sections sections_of(const std::vector<PlanAxis>& axes) {
  Sections sections{"seed", "protocol"};
  for (const PlanAxis& axis : axes) sections.insert(axis.key.substr(0, axis.key.find('.')));
  return sections;
}

// Leaves the other sections out while parsing: they are most of the text.
Json parse_line(std::string_view line, const Sections& sections) {
  bool in_config = false;
  return Json::parse(line, [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event != Json::parse_event_t::key || depth > 2) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    if (depth == 1) in_config = key == "config";
    return depth == 1 || !in_config || sections.contains(key);
  });
}

// A component counts by its name, as in a sweep that lists names.
Json as_written(const Json* value) {
  if (value == nullptr) return nullptr;
  const auto use = value->is_object() ? value->find("use") : value->end();
  return use == value->end() ? *value : *use;
}

PlanRow row_of(const Json& line, const std::vector<PlanAxis>& axes) {
  PlanRow row;
  line.at("trial_id").get_to(row.trial_id);
  line.at("combo_id").get_to(row.combo_id);
  const Json& config = line.at("config");
  row.seed = config.value("seed", std::int64_t{-1});
  const Json* protocol = value_under(config, "protocol.graph");
  if (protocol != nullptr && protocol->is_string()) {
    protocol->get_to(row.graph_protocol);
  }
  const Json& given = line.at("axes");
  for (const PlanAxis& axis : axes) {
    const auto it = given.find(axis.key);
    row.values.push_back(it != given.end() ? *it : as_written(value_under(config, axis.key)));
  }
  return row;
}

void collect_values(PlanTable& plan) {
  for (std::size_t i = 0; i < plan.axes.size(); ++i) {
    std::set<Json> seen;
    for (const PlanRow& row : plan.rows) {
      const Json& value = row.values[i];
      if (!value.is_null() && seen.insert(value).second) plan.axes[i].values.push_back(value);
    }
  }
}

void check_header(const Json& header, std::string_view body, const std::filesystem::path& file) {
  const auto version = header.at("plan").get<std::int64_t>();
  if (version > plan_version) {
    unusable(file, "a newer Espalier wrote this plan", "version " + std::to_string(version));
  }
  if (header.at("sha256").get<std::string>() != hex(sha256(body))) {
    unusable(file, "a plan is damaged", "its lines have another SHA-256 than its header says");
  }
}

}  // namespace

PlanTable PlanTable::read(const std::filesystem::path& file) try {
  PlanTable plan;
  plan.text = read_own_file(file, largest_plan);
  std::string_view rest = plan.text;
  const auto next_line = [&rest] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  const Json header = Json::parse(next_line());
  check_header(header, rest, file);
  plan.name = header.at("name").get<std::string>();
  for (const Json& key : header.at("axes")) plan.axes.push_back({key.get<std::string>(), {}});
  const Sections sections = sections_of(plan.axes);
  while (!rest.empty()) plan.rows.push_back(row_of(parse_line(next_line(), sections), plan.axes));
  collect_values(plan);
  return plan;
} catch (const Json::exception& error) {
  unusable(file, "this is no plan", error.what());
}

}  // namespace espalier
