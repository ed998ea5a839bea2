#include <algorithm>
#include <chrono>
#include <espalier/core/process.hpp>
#include <iostream>
#include <sstream>

#include "plugins_internal.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

// What the worker says of one plugin, printed as it comes; a message that repeats is printed once.
class Printer {
 public:
  // One line of JSON: a property that begins, or what was found.
  void take(const Json& line) {
    const std::string state = line.at("state");
    const std::string property = line.at("property");
    if (line.at("component") != component_) {
      component_ = line.at("component");
      std::cout << component_ << '\n';
    }
    running_ = state == "begins" ? property : "end of the process";
    if (state != "begins") found(state, property, line.value("message", ""));
  }

  void crashed(const std::string& how) {
    ++violated_;
    print("CRASHED", running_, how);
  }
  void forget_running() { running_ = "start of espalier-worker"; }

  // True when everything held.
  [[nodiscard]] bool print_sum() const {
    std::cout << held_ << " held, " << violated_ << " failed, " << skipped_ << " skipped\n";
    return violated_ == 0;
  }

 private:
  void found(const std::string& state, const std::string& property, const std::string& message) {
    if (state == "holds") ++held_;
    if (state == "violated") ++violated_;
    if (state == "skipped") ++skipped_;
    const bool again = state == "skipped" && message == last_skip_;
    if (state == "skipped") last_skip_ = message;
    print(state == "holds"      ? "ok"
          : state == "violated" ? "FAILED"
                                : state,
          property, again ? "" : message);
  }

  static void print(std::string state, const std::string& property, const std::string& message) {
    state.resize(9, ' ');
    std::cout << "  " << state << property << '\n';
    std::istringstream lines(message);
    for (std::string line; std::getline(lines, line);) std::cout << "           " << line << '\n';
  }

  std::string component_;
  std::string running_;
  std::string last_skip_;
  int held_ = 0;
  int violated_ = 0;
  int skipped_ = 0;
};

void check_file(const fs::path& file, const std::string& params, std::chrono::seconds limit,
                Printer& printer) {
  const ProcessResult result =
      run_process({worker_program().string(), "check-plugin", file.string(), params}, limit);
  std::istringstream lines(result.out);
  printer.forget_running();
  for (std::string line; std::getline(lines, line);) printer.take(Json::parse(line));
  const bool ended = result.signal == 0 && !result.timed_out && result.exit_code <= 1;
  if (!ended) printer.crashed(ending(result) + "\n" + result.err);
}

std::vector<fs::path> files_in(const fs::path& path) {
  if (!fs::exists(path)) {
    throw Error({.what = "there is no plugin to check",
                 .where = path.string(),
                 .expected = "a plugin or a folder of plugins",
                 .found = "nothing",
                 .fix = {}});
  }
  if (!fs::is_directory(path)) return {fs::absolute(path)};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().string().ends_with(".espalier.so"))
      files.push_back(fs::absolute(entry.path()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

// NAME=VALUE, the value in JSON or else as text.
Json parameters(const std::vector<std::string>& settings) {
  Json params = Json::object();
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      throw Error({.what = "not a setting",
                   .where = "command line",
                   .expected = "NAME=VALUE",
                   .found = setting,
                   .fix = {}});
    }
    const std::string text = setting.substr(equals + 1);
    const Json value = Json::parse(text, nullptr, false);
    params[setting.substr(0, equals)] = value.is_discarded() ? Json(text) : value;
  }
  return params;
}

}  // namespace

int check_plugins(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()("help", "show this")(
      "timeout", po::value<std::int64_t>()->default_value(600)->value_name("SECONDS"),
      "time that one plugin may take");
  po::options_description hidden;
  hidden.add(options).add_options()("path", po::value<std::string>())(
      "settings", po::value<std::vector<std::string>>()->default_value({}, ""));
  const auto given = parse_options(
      arguments, hidden, po::positional_options_description().add("path", 1).add("settings", -1));
  const bool help = given.count("help") > 0;
  if (help || given.count("path") == 0) {
    (help ? std::cout : std::cerr)
        << "usage: espalier plugins check FILE|DIR [NAME=VALUE...] [--timeout SECONDS]\n\n"
           "Runs the conformance suite over every component, each plugin in a process of its own,\n"
           "so that a crash is a finding. Settings are parameters of the components, for those\n"
           "that cannot work without. Exit code 1 when something does not hold.\n\n"
        << options
        << "\nexamples:\n  espalier plugins check build/plugins\n"
           "  espalier plugins check build/plugins/dataset-mine.espalier.so root=/data/mine\n";
    return help ? 0 : 2;
  }
  const Json params = parameters(given["settings"].as<std::vector<std::string>>());
  Printer printer;
  for (const fs::path& file : files_in(given["path"].as<std::string>())) {
    check_file(file, params.dump(), std::chrono::seconds(given["timeout"].as<std::int64_t>()),
               printer);
  }
  return printer.print_sum() ? 0 : 1;
}

}  // namespace espalier::cli
