#include "experiment/source.hpp"

#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/schema.hpp>

#include "keys_internal.hpp"
#include "override_internal.hpp"
#include "source_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20;

struct Limits {
  double seconds = 0;
  double megabytes = 0;
};

void bind(Schema<Limits>& s) {
  s.field("seconds", &Limits::seconds).range(0, 1e9).doc("Time a trial may take, 0 for no limit");
  s.field("megabytes", &Limits::megabytes)
      .range(0, 1e9)
      .doc("Memory a trial may take, 0 for no limit");
}

void check_name(const ExperimentSource& source, Problems& problems) {
  const std::string& name = source.name;
  const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (!name.empty() && letters && name.front() != '.' && name.size() <= 100) return;
  problems.add(
      {.what = name.empty() ? "the experiment has no name" : "a name cannot be used",
       .where = source.locate("name"),
       .expected = "at most 100 letters, digits, \"-\", \"_\" and \".\", no \".\" in front",
       .found = name.empty() ? "" : Json(name).dump(),
       .fix = name.empty() ? "add a line `name: my-experiment`" : ""});
}

}  // namespace

ExperimentSource ExperimentSource::read(const std::filesystem::path& file,
                                        const std::vector<std::string>& overrides) {
  ExperimentSource source;
  source.file = file.string();
  const YamlNode root = parse_yaml(read_file(file, longest_file), source.file);
  Problems problems;
  read_experiment(root, source, problems);
  if (root.type != YamlNode::Type::map) problems.throw_if_any();
  apply_overrides(overrides, source, problems);
  check_name(source, problems);
  source.limits = resolve_params(
      schema_of<Limits>().info(), source.limits, "limits.",
      [&](std::string_view key) { return source.locate("limits." + std::string(key)); }, problems);
  if (source.blocks.empty()) source.blocks.emplace_back();
  source.mistakes = problems.list();
  return source;
}

bool check_source_key(const std::string& key, const std::string& where, ExperimentSource& source,
                      Problems& problems) {
  if (check_key(key, where, problems)) return true;
  const auto meant = nearest_name(section_of(key), section_names());
  if (meant) source.unread.insert(*meant);
  return false;
}

std::string ExperimentSource::locate(std::string_view key) const {
  for (;;) {
    if (const auto it = where.find(std::string(key)); it != where.end()) return it->second;
    const std::size_t dot = key.rfind('.');
    if (dot == std::string_view::npos) return file;
    key = key.substr(0, dot);
  }
}

}  // namespace espalier
