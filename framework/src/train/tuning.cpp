#include "train/tuning.hpp"

#include <spdlog/logger.h>

#include "experiment/tuning.hpp"
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <filesystem>
#include <utility>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_note = 1 << 20;

// Of a candidate: its rows and warnings are not the trial's.
TrialHooks silent(TrialHooks hooks) {
  hooks.epoch = {};
  hooks.warning = {};
  return hooks;
}

}  // namespace

Tuning::Tuning(const TrialRequest& request, const TrialHooks& hooks, std::vector<Json> candidates)
    : request_(request), hooks_(hooks), candidates_(std::move(candidates)) {}

TrialRequest Tuning::request_of(std::size_t candidate) const {
  TrialRequest request = request_;
  request.config = with_candidate(std::move(request.config), candidates_[candidate]);
  request.folder /= fs::path("tune") / std::to_string(candidate);
  return request;
}

bool Tuning::run(const Validate& validate_one) {
  load();
  while (outcomes_.size() < candidates_.size()) {
    if (hooks_.stage) hooks_.stage("tune");
    if (hooks_.progress) hooks_.progress("tune", outcomes_.size(), candidates_.size());
    if (!validate(validate_one)) return false;
    keep_best_alone();
    save();
  }
  if (std::isnan(outcomes_[best()].top1)) {
    throw Error({.what = "every candidate fails",
                 .where = {},
                 .expected = "one at least that can be trained",
                 .found = "of " + candidates_.back().dump() + ": " + outcomes_.back().failure,
                 .fix = "give tune, or graph.taus, other values"});
  }
  take_training();
  return true;
}

// Of the next candidate. False: stopped.
bool Tuning::validate(const Validate& validate_one) {
  const std::size_t next = outcomes_.size();
  const TrialRequest request = request_of(next);
  Outcome outcome;
  try {
    fs::create_directories(request.folder);
    const std::optional<double> top1 = validate_one(request, silent(hooks_));
    if (!top1) return false;
    outcome.top1 = *top1;
  } catch (const StorageError&) {
    throw;
  } catch (const Error& error) {
    outcome.failure = error.what();
    hooks_.log->warn("tune: {} fails: {}", candidates_[next].dump(), outcome.failure);
  }
  outcomes_.push_back(std::move(outcome));
  return true;
}

// Of those that are known; the first where all fail.
std::size_t Tuning::best() const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < outcomes_.size(); ++i) {
    const double top1 = outcomes_[i].top1;
    if (top1 > outcomes_[best].top1 || (std::isnan(outcomes_[best].top1) && !std::isnan(top1))) {
      best = i;
    }
  }
  return best;
}

void Tuning::keep_best_alone() const {
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    if (i != best()) fs::remove_all(request_of(i).folder);
  }
}

// A trial that goes on may have taken it before.
void Tuning::take_training() const {
  const fs::path from = request_of(best()).folder;
  if (!fs::exists(from)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    if (entry.path().extension() != ".safetensors") continue;
    fs::rename(entry.path(), request_.folder / entry.path().filename());
  }
  fs::remove_all(request_.folder / "tune");
}

TrialRequest Tuning::chosen() const {
  TrialRequest request = request_of(best());
  request.folder = request_.folder;
  return request;
}

std::vector<TunedCandidate> Tuning::candidates() const {
  std::vector<TunedCandidate> list;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    list.push_back({.settings = candidates_[i],
                    .val_top1 = outcomes_[i].top1,
                    .failure = outcomes_[i].failure,
                    .chosen = i == best()});
  }
  return list;
}

void Tuning::load() try {
  outcomes_.clear();
  const fs::path file = request_.folder / "tune.json";
  if (!fs::exists(file)) return;
  const Json note = parse_json(read_own_file(file, largest_note), file.string());
  if (note.at("trial_id") != request_.trial_id) return;
  for (const Json& known : note.at("outcomes")) {
    if (outcomes_.size() == candidates_.size()) break;
    const Json& top1 = known.at("top1");
    outcomes_.push_back(
        {top1.is_null() ? missing : top1.get<double>(), known.at("failure").get<std::string>()});
  }
} catch (const std::exception& error) {
  hooks_.log->warn("tune.json is of no use, candidates are trained anew: {}", error.what());
  outcomes_.clear();
}

void Tuning::save() const {
  Json outcomes = Json::array();
  for (const Outcome& outcome : outcomes_) {
    outcomes.push_back({{"top1", std::isnan(outcome.top1) ? Json() : Json(outcome.top1)},
                        {"failure", outcome.failure}});
  }
  write_file(request_.folder / "tune.json",
             Json{{"trial_id", request_.trial_id}, {"outcomes", std::move(outcomes)}}.dump(
                 -1, ' ', false, Json::error_handler_t::replace));
}

void Tuning::remove_files() const {
  fs::remove(request_.folder / "tune.json");
  fs::remove_all(request_.folder / "tune");
}

}  // namespace espalier
