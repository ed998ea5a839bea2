#include "run/stages_in_use.hpp"
#include "run/run_lock.hpp"
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <sstream>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_table = std::size_t{2} << 30;

// Parses of a line its stages alone: the configuration is most of the text.
Json stages_of(const std::string& line) {
  const Json parsed = Json::parse(
      line,
      [](int depth, Json::parse_event_t event, Json& key) {
        return depth != 1 || event != Json::parse_event_t::key || key == "stages";
      },
      /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed.value("stages", Json::object()) : Json();
}

void add_plan(const fs::path& file, std::set<std::string>& stages) {
  std::istringstream in(read_own_file(file, largest_table));
  std::string line;
  bool whole = static_cast<bool>(std::getline(in, line));  // the header
  while (whole && std::getline(in, line)) {
    const Json of_trial = stages_of(line);
    whole = of_trial.is_object();
    for (const auto& [stage, key] : of_trial.items()) {
      if (key.is_string()) stages.insert(stage + "/" + key.get<std::string>());
    }
  }
  if (whole) return;
  throw Error({.what = "the plan of a sweep that is running cannot be read",
               .where = file.string(),
               .expected = {},
               .found = {},
               .fix = "wait until that sweep has ended"});
}

}  // namespace

std::set<std::string> stages_in_use(const fs::path& results) {
  std::set<std::string> stages;
  std::error_code failed;
  for (fs::directory_iterator it(results, failed), end; !failed && it != end;
       it.increment(failed)) {
    if (RunLock::held(it->path())) add_plan(it->path() / "plan.jsonl", stages);
  }
  return stages;
}

}  // namespace espalier
