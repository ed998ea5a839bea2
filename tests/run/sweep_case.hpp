// Plans over a dataset that does what it is told, run by the fake worker.
#pragma once

#include "results/sweep_file.hpp"
#include "run/sweep.hpp"
#include <espalier/core/file.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "run/sweep_fixture.hpp"

namespace espalier {

struct FakeData {
  std::string act;
  ContentPath root;
  std::string build;
  std::int64_t epochs = 3;
  std::int64_t ms = 0;
};

inline void bind(Schema<FakeData>& s) {
  s.field("act", &FakeData::act);
  s.field("root", &FakeData::root);
  s.field("build", &FakeData::build);
  s.field("epochs", &FakeData::epochs);
  s.field("ms", &FakeData::ms);
}

inline Catalog fake_catalog(const std::filesystem::path& library) {
  std::vector<ComponentInfo> components;
  const std::pair<const char*, const char*> names[] = {{"dataset", "fake"}, {"captioner", "none"},
                                                       {"encoder", "fake"}, {"graph", "none"},
                                                       {"gnn", "mlp"},      {"peft", "none"}};
  for (const auto& [kind, name] : names) {
    ComponentInfo component;
    component.kind = kind;
    component.name = name;
    if (component.kind == "dataset") {
      component.schema = schema_of<FakeData>().info();
      component.file = library;
    }
    if (component.kind == "encoder") component.capabilities = {"image"};
    components.push_back(std::move(component));
  }
  return Catalog::of(std::move(components));
}

class SweepCase : public FolderTest {
 protected:
  Plan plan(const std::string& name, const std::string& sweep) {
    const std::filesystem::path file = folder_ / (name + ".yaml");
    write(file, "name: " + name +
                    "\nbase:\n  dataset: {use: fake}\n  captioner: {use: none}\n"
                    "  encoder: {use: fake}\n  graph: {use: none}\n  gnn: {use: mlp}\n"
                    "  peft: {use: none}\nsweep:\n  - grid: {" +
                    sweep + "}\n");
    return Plan::make(ExperimentSource::read(file, {}), fake_catalog(library_), results());
  }

  SweepResult run(const Plan& plan, bool retry_failed = false) {
    SweepOptions options;
    options.results = results();
    options.worker.arguments = {fake_worker()};
    options.workers = 2;
    options.retry_failed = retry_failed;
    witness_.order.clear();
    return run_sweep(plan, options, [this](const Survey& survey) -> SweepObserver& {
      survey_ = survey;
      return witness_;
    });
  }

  [[nodiscard]] std::filesystem::path results() const { return folder_ / "results"; }
  [[nodiscard]] std::filesystem::path trial(const Plan& plan, std::size_t i) const {
    return results() / plan.name() / "trials" / hex(plan.trials()[i].trial_id);
  }

  std::filesystem::path library_;  // of dataset/fake
  Survey survey_;
  Witness witness_;
};

// What must not differ between two runs of one plan.
inline std::string numbers(const SweepTable& sweep) {
  const Table all = trials_table(sweep);
  Table kept;
  for (const char* name : {"trial_id", "status", "seed", "val_top1", "test_top1", "epochs"}) {
    kept.add(name, all.find(name)->values);
  }
  return to_csv(kept);
}

}  // namespace espalier
