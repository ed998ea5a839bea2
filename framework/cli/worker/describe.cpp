#include <cstdio>
#include <espalier/plugin/loader.hpp>

#include "answer_stream.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

Json described(const std::string& file) try {
  Json components = Json::array();
  for (const ComponentEntry& entry : load_plugin(file)) {
    components.push_back(
        {{"kind", entry.kind}, {"name", entry.name}, {"schema", to_json(entry.schema)}});
  }
  return {{"components", std::move(components)}};
} catch (const Error& error) {
  return {{"problem", to_json(error.problems().front())}};
}

}  // namespace

// Prints an empty object once it has begun, then for each file, in turn, a line
// {"components": [{"kind", "name", "schema"}]} or {"problem": {...}}.
int describe(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help") {
    std::puts(
        "usage: espalier-worker describe FILE...\n\n"
        "Loads plugins and prints the schemas of their components, a line of JSON a plugin.\n\n"
        "example:\n"
        "  espalier-worker describe build/release/plugins/graph-knn.espalier.so");
    return arguments.empty() ? 2 : 0;
  }
  const AnswerStream answers;
  answers.say(Json::object());
  for (const std::string& file : arguments) answers.say(described(file));
  return 0;
}

}  // namespace espalier::cli
