#include "results/member_texts.hpp"
#include "results/sweep_table.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <set>
#include <unordered_map>

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

// Throws Json::exception where it is none: a conversion of a fraction has no bounds.
std::int64_t whole_number(const Json& number) {
  return number.get_ref<const Json::number_integer_t&>();
}

// A component counts by its name, as in a sweep that lists names.
Json as_written(const Json* value) {
  if (value == nullptr) return nullptr;
  const auto use = value->is_object() ? value->find("use") : value->end();
  return use == value->end() ? *value : *use;
}

// The members of an object, each parsed when it is asked for: a row needs few.
class Members {
 public:
  explicit Members(std::string_view object) : texts_(member_texts(object)) {}

  // The text of `absent` where there is none.
  [[nodiscard]] std::string_view text(std::string_view key, std::string_view absent = {}) const {
    const auto found = std::find_if(texts_.begin(), texts_.end(),
                                    [&](const auto& member) { return member.first == key; });
    return found == texts_.end() ? absent : found->second;
  }
  [[nodiscard]] Json at(std::string_view key) const { return Json::parse(text(key)); }
  [[nodiscard]] Json find(std::string_view key) const { return Json::parse(text(key, "null")); }

 private:
  MemberTexts texts_;
};

class Rows {
 public:
  explicit Rows(const std::vector<PlanAxis>& axes) : axes_(axes) {}

  PlanRow row_of(std::string_view line) {
    const Members members(line);
    PlanRow row;
    row.trial_id = members.at("trial_id").get<std::string>();
    row.combo_id = members.at("combo_id").get<std::string>();
    const Members config(members.text("config"));
    const Json seed = config.find("seed");
    row.seed = seed.is_null() ? -1 : whole_number(seed);
    row.graph_protocol = graph_protocol(config.text("protocol", "null"));
    row.sees_test = members.text("sees_test", "false") == "true";
    const Json given = members.at("axes");
    row.values.reserve(axes_.size());
    for (const PlanAxis& axis : axes_) {
      const auto it = given.find(axis.key);
      row.values.push_back(it != given.end() ? *it : configured(config, axis.key));
    }
    return row;
  }

 private:
  const std::string& graph_protocol(std::string_view protocol) {
    const auto [known, fresh] = graph_protocols_.try_emplace(protocol);
    if (fresh) {
      const Json parsed = Json::parse(protocol);
      const Json* graph = value_under(parsed, "graph");
      if (graph != nullptr && graph->is_string()) graph->get_to(known->second);
    }
    return known->second;
  }

  static Json configured(const Members& config, std::string_view key) {
    const std::string_view section = key.substr(0, key.find('.'));
    const Json value = config.find(section);
    return as_written(value_under(value, key.substr(std::min(key.size(), section.size() + 1))));
  }

  const std::vector<PlanAxis>& axes_;
  std::unordered_map<std::string_view, std::string> graph_protocols_;  // of texts of the plan
};

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
  const std::int64_t version = whole_number(header.at("plan"));
  if (version > plan_version) {
    unusable(file, "a newer Espalier wrote this plan", "version " + std::to_string(version));
  }
  if (header.at("sha256").get<std::string>() != hex(sha256(body))) {
    unusable(file, "a plan is damaged", "its lines have another SHA-256 than its header says");
  }
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

PlanTable PlanTable::read(const std::filesystem::path& file) try {
  PlanTable plan;
  plan.text = read_own_file(file, largest_plan);
  std::string_view rest = plan.text;
  const Json header = Json::parse(take_line(rest));
  check_header(header, rest, file);
  plan.name = header.at("name").get<std::string>();
  for (const Json& key : header.at("axes")) plan.axes.push_back({key.get<std::string>(), {}});
  Rows rows(plan.axes);
  while (!rest.empty()) plan.rows.push_back(rows.row_of(take_line(rest)));
  collect_values(plan);
  return plan;
} catch (const Json::exception& error) {
  unusable(file, "this is no plan", error.what());
}

std::vector<PlanDetail> plan_details(const PlanTable& plan) {
  std::vector<PlanDetail> details;
  details.reserve(plan.rows.size());
  std::string_view rest = plan.text;
  (void)take_line(rest);
  while (!rest.empty()) {
    const Members members(take_line(rest));
    details.push_back({members.at("config"), members.find("stages")});
  }
  return details;
}

}  // namespace espalier
