// From an experiment to the immutable, ordered list of its trials.
#pragma once

#include "experiment/data_inspector.hpp"
#include "experiment/input.hpp"
#include "experiment/source.hpp"
#include "experiment/stage.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/core/content.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/json.hpp>
#include <espalier/plugin/catalog.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

enum class TrialState {
  planned,
  duplicate,   // equal to an earlier trial but for values that cannot matter
  excluded,    // by `exclude` or a `when` that does not hold
  impossible,  // the components do not fit together
};

[[nodiscard]] std::string_view to_string(TrialState state);

struct PlannedTrial {
  Digest trial_id{};  // of planned trials and duplicates
  Digest combo_id{};  // the same for all seeds
  TrialState state = TrialState::planned;
  std::uint32_t reason = 0;         // index into Plan::reasons()
  std::uint32_t original = npos;    // of a duplicate: the trial that it equals
  std::vector<std::uint32_t> axes;  // for every axis of the plan the index of the value, or npos
  static constexpr std::uint32_t npos = 0xffffffffu;
};

struct Axis {
  std::string key;           // dotted, such as graph.tau
  std::vector<Json> values;  // distinct, in order of appearance
};

// Where a method cuts an encoder.
struct PlannedCut {
  std::uint32_t trial = 0;  // one of those that have both
  TowerCut cut;
  std::int64_t looks = 0;  // pictures of that trial, views included
};

// How large a budget makes a method.
struct PlannedSize {
  std::string method;
  std::string encoder;
  std::string key;         // of the setting that was set; empty: the method has none, and fits
  std::int64_t value = 0;  // of it
  std::int64_t trainable = 0;
  std::int64_t budget = 0;
};

// Captions that a server is to write before the trials which read them have their final names.
struct PlannedCaptions {
  std::filesystem::path file;  // below the results, named by what is asked about which pictures
  Json dataset;                // sections, resolved
  Json captioner;
  Json asked;  // the captioner's identity
};

class Plan {
 public:
  // Expands, resolves and validates everything. Throws Error with all problems of the experiment,
  // those of its source among them, and where no trial is left to run. Data named by the experiment
  // is hashed; `progress` hears of it, and what was learnt is kept below `results`. The inspector
  // opens the data; without one, datasets have no splits of their own and are not looked at.
  static Plan make(const ExperimentSource& source, const Catalog& catalog,
                   const std::filesystem::path& results,
                   const ContentHasher::Progress& progress = {},
                   DataInspector* inspector = nullptr);

  [[nodiscard]] const std::string& name() const;  // of the experiment
  [[nodiscard]] const std::string& about() const;
  [[nodiscard]] const std::vector<Axis>& axes() const;
  [[nodiscard]] const std::vector<PlannedTrial>& trials() const;
  [[nodiscard]] const std::vector<std::string>& reasons() const;  // the first is empty
  // What is easily meant otherwise: one sentence each.
  [[nodiscard]] const std::vector<std::string>& warnings() const;

  // The values of the axes that a trial has: {"graph.tau": 0.5, ...}.
  [[nodiscard]] Json axis_values(std::size_t trial) const;
  // The resolved configuration of a trial, nothing hidden; what the worker gets. Paths are
  // absolute.
  [[nodiscard]] Json config(std::size_t trial) const;
  // What is hashed (docs/identity.md); null for trials without a trial_id.
  [[nodiscard]] Json identity(std::size_t trial) const;
  // In the order in which they are made; empty for trials without a trial_id.
  [[nodiscard]] const std::vector<StageRef>& stages(std::size_t trial) const;

  // Of captioners whose captions are recorded: the sets that are not there yet. Until they are, the
  // names of their trials say what is asked, and then what was answered.
  [[nodiscard]] const std::vector<PlannedCaptions>& missing_captions() const;

  // Of every encoder, method, dataset and protocol that trials combine, where a method trains
  // inside the encoder; empty where no inspector looked.
  [[nodiscard]] const std::vector<PlannedCut>& cuts() const;

  // Of every method, encoder and budget that trials combine.
  [[nodiscard]] const std::vector<PlannedSize>& sizes() const;

  // Data and weights that the name of a trial depends on; empty for trials without one.
  [[nodiscard]] std::vector<TrialInput> inputs(std::size_t trial) const;
  [[nodiscard]] const Catalog& catalog() const;

  // plan.jsonl: a header line {"plan": 1, "name", "axes", "sha256" of the lines after it}, then one
  // line a planned trial {"trial_id", "combo_id", "axes": {key: value, null where the axis makes no
  // difference}, "config", "stages": {name: key}}. Throws Error when it cannot be written.
  void write(const std::filesystem::path& file) const;

  struct State;

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace espalier
