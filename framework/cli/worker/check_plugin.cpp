#include <cstdio>
#include <espalier/plugin/loader.hpp>
#include <espalier/testing/suite.hpp>
#include <filesystem>

#include "answer_stream.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

class Report {
 public:
  void say(const std::string& component, const std::string& property, std::string_view state,
           const std::string& message = {}) const {
    answers_.say(
        {{"component", component}, {"property", property}, {"state", state}, {"message", message}});
  }

 private:
  AnswerStream answers_;
};

// False when the plugin cannot be loaded at all.
bool load(const Report& report, const std::filesystem::path& file) {
  const std::string name = file.string();
  report.say(name, "loads", "begins");
  try {
    (void)load_plugin(file);
    report.say(name, "loads", "holds");
    return true;
  } catch (const Error& error) {
    report.say(name, "loads", "violated", error.what());
    return false;
  }
}

void name_unknown(const Report& report, const std::string& component, const ComponentInfo& info,
                  const Json& params) {
  for (const auto& [key, value] : params.items()) {
    if (info.schema.find(key) != nullptr) continue;
    report.say(component, key + "=" + value.dump(), "skipped", "it has no such parameter");
  }
}

// Throws Error when a parameter that was given does not fit.
std::vector<conformance::Subject> settings_of(const Report& report, const conformance::Suite& suite,
                                              const ComponentInfo& info, const Json& params) {
  const std::string component = info.kind + "/" + info.name;
  report.say(component, "settings", "begins");
  name_unknown(report, component, info, params);
  return suite.settings(info, params);
}

bool check(const Report& report, const conformance::Suite& suite, const ComponentInfo& info,
           const Json& params) try {
  const std::string component = info.kind + "/" + info.name;
  const auto settings = settings_of(report, suite, info, params);
  bool all_hold = true;
  for (const conformance::Property& property : conformance::properties(info.kind)) {
    report.say(component, property.name, "begins");
    const conformance::Finding finding = conformance::examine(property, settings);
    const bool violated = finding.state == conformance::State::violated;
    all_hold = all_hold && !violated;
    report.say(component, property.name, conformance::to_string(finding.state),
               violated ? property.statement + "\n" + finding.message : finding.message);
  }
  return all_hold;
} catch (const Error& error) {
  report.say(info.kind + "/" + info.name, "settings", "violated", error.what());
  return false;
}

}  // namespace

// Prints a line of JSON when a property begins to be checked, and one with what was found.
int check_plugin(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help") {
    std::puts(
        "usage: espalier-worker check-plugin FILE [PARAMETERS AS JSON]\n\n"
        "Runs the conformance suite over the components of one plugin.\n\n"
        "  espalier-worker check-plugin build/release/plugins/gnn-gcn.espalier.so");
    return arguments.empty() ? 2 : 0;
  }
  const std::filesystem::path file = arguments[0];
  const Json params =
      arguments.size() > 1 ? parse_json(arguments[1], "parameters") : Json::object();
  const Report report;
  if (!load(report, file)) return 1;
  const conformance::Suite suite(file);
  bool all_hold = true;
  for (const ComponentInfo& info : suite.components()) {
    all_hold = check(report, suite, info, params) && all_hold;
  }
  return all_hold ? 0 : 1;
}

}  // namespace espalier::cli
