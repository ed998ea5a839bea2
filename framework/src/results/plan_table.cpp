#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/results/sweep_table.hpp>

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

// Builds all of a line but the configuration, of which two values are kept: it is most of the text.
bool wanted(int depth, Json::parse_event_t event, Json& parsed, bool& in_config) {
  if (event != Json::parse_event_t::key) return true;
  if (depth == 1) in_config = parsed == "config";
  return !in_config || depth != 2 || parsed == "seed" || parsed == "protocol";
}

Json parse_line(std::string_view line) {
  bool in_config = false;
  return Json::parse(line, [&in_config](int depth, Json::parse_event_t event, Json& parsed) {
    return wanted(depth, event, parsed, in_config);
  });
}

std::vector<PlanAxis> axes_of(const Json& header) {
  std::vector<PlanAxis> axes;
  for (const Json& axis : header.at("axes")) {
    axes.push_back({axis.at("key").get<std::string>(), axis.at("values").get<std::vector<Json>>()});
  }
  return axes;
}

PlanRow row_of(const Json& line, const std::vector<PlanAxis>& axes) {
  PlanRow row;
  line.at("trial_id").get_to(row.trial_id);
  line.at("combo_id").get_to(row.combo_id);
  const Json& config = line.at("config");
  row.seed = config.value("seed", std::int64_t{-1});
  if (const auto protocol = config.find("protocol"); protocol != config.end()) {
    row.graph_protocol = protocol->value("graph", "");
  }
  const Json& given = line.at("axes");
  for (const PlanAxis& axis : axes) row.values.push_back(given.value(axis.key, Json()));
  return row;
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
  plan.text = read_file(file, largest_plan);
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
  plan.axes = axes_of(header);
  while (!rest.empty()) plan.rows.push_back(row_of(parse_line(next_line()), plan.axes));
  return plan;
} catch (const Json::exception& error) {
  unusable(file, "this is no plan", error.what());
}

}  // namespace espalier
