// Experiments that are made up, for what is compared over them.
#pragma once

#include <gtest/gtest.h>

#include "results/comparison.hpp"
#include <espalier/core/error.hpp>

#include "results/sweep_support.hpp"
#include "run/sweep_fixture.hpp"

namespace espalier {

struct Measured {
  Json config;  // sections
  std::int64_t seed = 0;
  double top1 = 0;
  std::int64_t parameters = 100;
  Json builds = Json::object();
  Json stages = Json::object();
};

class ComparisonTest : public FolderTest {
 protected:
  // Trials that are all finished; `name` tells their ids from those of other experiments.
  SweepTable sweep_named(const std::string& name, const std::vector<Measured>& measured) {
    std::vector<MadeTrial> made;
    for (const Measured& one : measured) {
      made.push_back({.axes = {{"seed", one.seed}},
                      .combo = name,
                      .seed = one.seed,
                      .sections = one.config,
                      .stages = one.stages});
    }
    std::filesystem::create_directories(folder_ / name);
    write_plan(folder_ / name, {"seed"}, made);
    SweepTable sweep{folder_ / name, PlanTable::read(folder_ / name / "plan.jsonl"), {}};
    for (std::size_t i = 0; i < measured.size(); ++i) {
      sweep.plan.rows[i].trial_id = name + std::to_string(i);
      sweep.records.push_back(record_of(made[i], measured[i]));
    }
    return sweep;
  }

  static TrialRecord record_of(const MadeTrial& made, const Measured& measured) {
    TrialRecord record;
    record.status = TrialStatus::complete;
    record.result = made_result(made, made.combo);
    record.result.test_top1 = measured.top1;
    record.result.trainable_parameters = measured.parameters;
    record.result.method_parameters = 20;
    record.result.total_parameters = 5000;
    record.result.adapter_bytes = 2048;
    record.result.optimizer_bytes = 800;
    record.result.peak_rss_bytes = 3 << 20;
    record.result.train_seconds = 0.5;
    record.builds = measured.builds.get<Builds>();
    return record;
  }

  static Json peft(const char* name) { return {{"peft", {{"use", name}}}}; }

  // The pairs of the reference with ten seeds, as shares.
  SweepTable ten_seeds() {
    const double a[] = {78.52, 86.49, 76.28, 80.01, 81.01, 83.58, 87.97, 78.81, 77.37, 83.18};
    const double b[] = {79.59, 89.0, 77.76, 80.37, 81.75, 84.82, 89.27, 78.8, 76.73, 82.8};
    std::vector<Measured> measured;
    for (std::int64_t seed = 0; seed < 10; ++seed) {
      measured.push_back({peft("none"), seed, a[seed] / 100, 0});
      measured.push_back({peft("lora"), seed, b[seed] / 100, 500});
    }
    return sweep_named("ten", measured);
  }

  static std::string refusal(const std::vector<SweepTable>& sweeps, const ComparisonView& view) {
    try {
      (void)compare(sweeps, view);
      return "nothing was refused";
    } catch (const Error& error) {
      return error.what();
    }
  }
};

}  // namespace espalier
