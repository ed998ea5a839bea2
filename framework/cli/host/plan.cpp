#include "experiment/plan.hpp"

#include "cache/stage_cache.hpp"
#include "run/trial_store.hpp"
#include <algorithm>
#include <array>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <espalier/core/units.hpp>
#include <iostream>
#include <map>
#include <set>

#include "../json_text.hpp"
#include "make_plan.hpp"
#include "padded.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Folders = std::vector<std::string>;

constexpr std::array states = {TrialState::planned, TrialState::duplicate, TrialState::excluded,
                               TrialState::impossible};

po::options_description plan_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("json", "print one line of JSON a trial instead of the summary");
  add("activation-limit",
      po::value<std::string>()->default_value(default_activation_limit)->value_name("SIZE|none"),
      "the one of espalier run, to see what would be stored");
  add("results", po::value<std::string>()->default_value("results")->value_name("DIR"),
      "where results are kept");
  add("plugins", po::value<Folders>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_plan_help(const po::options_description& options) {
  std::cout << "usage: espalier plan EXPERIMENT.yaml [OVERRIDE...] [OPTIONS]\n\n"
               "Says which trials an experiment expands to, which of them are the same, left out,\n"
               "impossible or done already, and what they share. Runs nothing.\n\n"
               "An override is key=value, key=a,b,c to sweep it, +key=value to add and ~key to\n"
               "remove.\n\n"
            << options
            << "\nexamples:\n"
               "  espalier plan experiments/quickstart.yaml graph.tau=0.5,0.7 seed='range(0,3)'\n"
               "  espalier plan experiments/quickstart.yaml --json | head -1\n";
}

// Which planned trials have a result already, in this experiment or in another one.
std::vector<bool> done_trials(const Plan& plan, const std::filesystem::path& results) {
  std::vector<bool> done(plan.trials().size());
  if (!std::filesystem::is_directory(results)) return done;
  const TrialStore store(results, plan.name());
  const auto begun = store.begun();
  const auto begun_elsewhere = store.begun_elsewhere();
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (plan.trials()[i].state != TrialState::planned) continue;
    const std::string id = hex(plan.trials()[i].trial_id);
    done[i] = (begun.contains(id) && std::filesystem::exists(store.folder(id) / "result.h5")) ||
              store.elsewhere(id, begun_elsewhere);
  }
  store.hasher().save();
  return done;
}

void print_json(const Plan& plan, const std::vector<bool>& done) {
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    const PlannedTrial& trial = plan.trials()[i];
    const Json identity = plan.identity(i);
    const bool has_id = !identity.is_null();
    Json stages = Json::object();
    Json inputs = Json::object();
    for (const StageRef& stage : plan.stages(i)) {
      stages[stage.name] = stage.key;
      inputs[stage.name] = Json::parse(stage.inputs);
    }
    const Json line{{"trial_id", has_id ? Json(hex(trial.trial_id)) : Json()},
                    {"combo_id", has_id ? Json(hex(trial.combo_id)) : Json()},
                    {"state", to_string(trial.state)},
                    {"reason", plan.reasons()[trial.reason]},
                    {"done", static_cast<bool>(done[i])},
                    {"axes", plan.axis_values(i)},
                    {"config", plan.config(i)},
                    {"identity", identity},
                    {"stages", stages},
                    {"stage_inputs", inputs}};
    std::cout << json_text(line);
  }
}

std::string list_of(const std::vector<Json>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i == 6 && values.size() > 8) {
      return text + ", ..., " + printable(values.back().dump());
    }
    text += (i == 0 ? "" : ", ") +
            printable(values[i].is_string() ? values[i].get<std::string>() : values[i].dump());
  }
  return text;
}

void print_axes(const Plan& plan) {
  std::size_t width = 0;
  for (const Axis& axis : plan.axes()) width = std::max(width, axis.key.size());
  for (const Axis& axis : plan.axes()) {
    std::printf("  %s %6zu  %s\n", padded(axis.key, width).c_str(), axis.values.size(),
                list_of(axis.values).c_str());
  }
  if (!plan.axes().empty()) std::puts("");
}

void print_states(const Plan& plan, const std::vector<bool>& done) {
  std::map<TrialState, std::size_t> counts;
  std::map<TrialState, std::map<std::uint32_t, std::size_t>> reasons;
  for (const PlannedTrial& trial : plan.trials()) {
    ++counts[trial.state];
    if (trial.reason != 0) ++reasons[trial.state][trial.reason];
  }
  std::printf("  trials     %8zu\n", plan.trials().size());
  for (const TrialState state : states) {
    if (state != TrialState::planned && counts[state] == 0) continue;
    std::printf("  %s %8zu\n", padded(std::string(to_string(state)), 10).c_str(), counts[state]);
    for (const auto& [reason, count] : reasons[state]) {
      std::printf("             %8zu  %s\n", count, printable(plan.reasons()[reason]).c_str());
    }
  }
  const auto finished = static_cast<std::size_t>(std::count(done.begin(), done.end(), true));
  std::printf("  done       %8zu\n  to run     %8zu\n", finished,
              counts[TrialState::planned] - finished);
}

// `stage/key` of every entry, of activations the family's.
std::set<std::string> families_in(const std::filesystem::path& cache) {
  std::set<std::string> families;
  for (const CachedStage& entry : StageCache(cache).entries()) {
    families.insert(entry.stage + "/" + entry.family());
  }
  return families;
}

std::string place_of(const TowerCut& cut) {
  if (cut.cut == -1) return cut.tower == "image" ? "pixels" : "token ids";
  if (cut.cut == cut.layers) return "the head";
  if (cut.cut > cut.layers) return "the feature";
  return "layer " + std::to_string(cut.cut + 1) + " of " + std::to_string(cut.layers);
}

std::string name_of(const Plan& plan, std::size_t trial, const char* kind) {
  return std::string(kind) + "/" + plan.config(trial).at(kind).at("use").get<std::string>();
}

// Trials that differ in nothing but how many pictures they look at.
struct CutLine {
  std::string text;
  std::int64_t bytes = 0;  // of a picture
  std::int64_t fewest = 0;
  std::int64_t most = 0;
};

std::string least_to_most(std::string least, std::string most) {
  return least == most ? most : std::move(least) + " to " + most;
}

std::string kept(const CutLine& line, std::int64_t limit) {
  const std::int64_t most = line.bytes * line.most;
  return "    what enters it: " + bytes_text(line.bytes) + " a picture, " +
         least_to_most(bytes_text(line.bytes * line.fewest), bytes_text(most)) + " for the " +
         least_to_most(std::to_string(line.fewest), std::to_string(line.most)) + " of a trial, " +
         (most <= limit ? "stored once"
                        : "computed in every epoch where it is over --activation-limit");
}

// 491520 as 491,520.
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::int64_t place = std::ssize(text) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), ",");
  }
  return text;
}

// What budget.trainable comes to.
void print_sizes(const Plan& plan) {
  if (!plan.sizes().empty()) std::puts("\nbudgets");
  for (const PlannedSize& size : plan.sizes()) {
    const double off = 100.0 * static_cast<double>(size.trainable - size.budget) /
                       static_cast<double>(size.budget);
    const std::string set =
        size.key.empty() ? "has no size to set" : size.key + ": " + std::to_string(size.value);
    std::printf("  %s in encoder/%s, %s, trains %s of %s parameters, %+.1f %%\n",
                size.method.c_str(), size.encoder.c_str(), set.c_str(),
                grouped(size.trainable).c_str(), grouped(size.budget).c_str(), off);
  }
}

std::vector<CutLine> lines_of(const Plan& plan) {
  std::vector<CutLine> lines;
  for (const PlannedCut& planned : plan.cuts()) {
    const bool half = plan.config(planned.trial).at("train").at("activations") == "float16";
    CutLine line{.text = name_of(plan, planned.trial, "peft") + " in " +
                         name_of(plan, planned.trial, "encoder") + " trains " +
                         grouped(planned.cut.trainable) + " parameters, the " + planned.cut.tower +
                         " tower from " + place_of(planned.cut) + " up",
                 .bytes = planned.cut.bytes / (half ? 2 : 1),
                 .fewest = planned.looks,
                 .most = planned.looks};
    const auto same = std::ranges::find_if(lines, [&](const CutLine& other) {
      return other.text == line.text && other.bytes == line.bytes;
    });
    if (same == lines.end()) {
      lines.push_back(std::move(line));
    } else {
      same->fewest = std::min(same->fewest, line.fewest);
      same->most = std::max(same->most, line.most);
    }
  }
  return lines;
}

// What enters the trained layers, and whether that is kept.
void print_cuts(const Plan& plan, std::int64_t limit) {
  const std::vector<CutLine> lines = lines_of(plan);
  if (!lines.empty()) std::puts("\nmethods inside encoders");
  for (const CutLine& line : lines) {
    std::printf("  %s\n", line.text.c_str());
    if (line.bytes > 0) std::printf("%s\n", kept(line, limit).c_str());
  }
}

void print_stages(const Plan& plan, const std::filesystem::path& cache) {
  std::map<std::string, std::map<std::string, std::size_t>> trials_of;  // stage, key
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    if (plan.trials()[i].state != TrialState::planned) continue;
    for (const StageRef& stage : plan.stages(i)) ++trials_of[stage.name][stage.key];
  }
  const std::set<std::string> kept = families_in(cache);
  if (!trials_of.empty()) std::puts("\nshared stages");
  for (const auto& [name, keys] : trials_of) {
    std::size_t trials = 0;
    std::size_t cached = 0;
    for (const auto& [key, count] : keys) {
      trials += count;
      cached += kept.contains(name + "/" + key) ? 1 : 0;
    }
    std::printf("  %s %6zu for %zu trials, %zu in the cache\n", padded(name, 17).c_str(),
                keys.size(), trials, cached);
  }
}

std::size_t combinations(const Plan& plan) {
  std::set<Digest> seen;
  for (const PlannedTrial& trial : plan.trials()) {
    if (trial.state == TrialState::planned) seen.insert(trial.combo_id);
  }
  return seen.size();
}

}  // namespace

int plan(const std::vector<std::string>& arguments) {
  const po::options_description options = plan_options();
  po::options_description all;
  all.add(options).add_options()("words", po::value<std::vector<std::string>>());
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("words", -1));
  if (given.count("help") > 0) return print_plan_help(options), 0;
  const auto words = experiment_words(given, "plan");
  const std::filesystem::path results = given["results"].as<std::string>();
  const auto& plugins = given["plugins"].as<Folders>();
  const ExperimentSource source =
      ExperimentSource::read(words[0], {words.begin() + 1, words.end()});
  const Plan made = make_plan({words, plugins, results}, source);

  const std::vector<bool> done = done_trials(made, results);
  if (given.count("json") > 0) return print_json(made, done), 0;
  std::printf("%s%s%s\n\n", made.name().c_str(), made.about().empty() ? "" : ": ",
              printable(made.about()).c_str());
  print_axes(made);
  print_states(made, done);
  std::printf("  combinations %6zu  planned trials without their seeds\n", combinations(made));
  print_stages(made, results / ".cache");
  print_sizes(made);
  print_cuts(made, limit_of(given, "activation-limit"));
  return 0;
}

}  // namespace espalier::cli
