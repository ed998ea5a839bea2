#include "results/sweep_table.hpp"

#include <gmock/gmock.h>

#include "results/report.hpp"
#include "results/sweep_file.hpp"
#include "results/tensorboard.hpp"
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/hash.hpp>
#include <sstream>

#include "results/sweep_support.hpp"
#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SweepTableTest : public FolderTest {
 protected:
  SweepTable made(bool live = false) {
    write_experiment(
        folder_, {"graph.tau", "gnn.use", "seed"},
        {{{{"graph.tau", 0.5}, {"gnn.use", "gcn"}, {"seed", 0}}, "c1", 0, 0.6},
         {{{"graph.tau", 0.5}, {"gnn.use", "gcn"}, {"seed", 1}}, "c1", 1, 0.8},
         {{{"gnn.use", "mlp"}, {"seed", 0}}, "c2", 0, 0.9},
         {{{"gnn.use", "mlp"}, {"seed", 1}}, "c2", 1, 0.1, "failed"},
         {{{"graph.tau", 0.9}, {"gnn.use", "gcn"}, {"seed", 0}}, "c3", 0, 0, "running"},
         {{{"graph.tau", 0.9}, {"gnn.use", "gcn"}, {"seed", 1}}, "c3", 1, 0, "planned"}});
    return SweepTable::read(folder_, live);
  }
  static std::vector<std::string> names(const Table& table) {
    std::vector<std::string> list;
    for (const Column& column : table.columns()) list.push_back(column.name);
    return list;
  }
  template <class T>
  static const std::vector<T>& column(const Table& table, std::string_view name) {
    return std::get<std::vector<T>>(table.find(name)->values);
  }
};

TEST_F(SweepTableTest, HasTheColumnsInTheirOrder) {
  EXPECT_THAT(
      names(trials_table(made())),
      ElementsAre("trial_id", "combo_id", "status", "seed", "graph.tau", "gnn.use", "val_top1",
                  "test_top1", "test_top5", "test_macro_accuracy", "test_macro_f1", "test_loss",
                  "test_ece", "task_forgetting", "backward_transfer", "new_top1", "harmonic_mean",
                  "new_zero_shot_top1", "forgetting", "best_epoch", "epochs",
                  "trainable_parameters", "method_parameters", "budget_deviation",
                  "total_parameters", "adapter_bytes", "optimizer_bytes", "caption_score",
                  "caption_leak_rate", "caption_flagged", "train_seconds", "prefix_seconds",
                  "forward_seconds", "backward_seconds", "total_seconds", "prefix_flops",
                  "forward_flops", "backward_flops", "inference_seconds",
                  "merged_inference_seconds", "peak_rss_bytes", "peak_cuda_bytes", "attempt",
                  "tuned", "error", "file", "builds", "graph_protocol", "sees_test"));
  EXPECT_THAT(names(sweep_metrics_table(made())),
              ElementsAre("trial_idx", "epoch", "step", "split", "loss", "top1", "lr", "wall_s"));
}

TEST_F(SweepTableTest, EveryTrialIsARowWhateverItsState) {
  const Table table = trials_table(made());
  EXPECT_THAT(column<std::string>(table, "status"),
              ElementsAre("complete", "complete", "complete", "failed", "stopped", "planned"));
  const Table live = trials_table(made(true));
  EXPECT_THAT(column<std::string>(live, "status")[4], "running");
  // Where a block does not sweep an axis, the configuration says its value.
  EXPECT_THAT(column<double>(table, "graph.tau"), ElementsAre(0.5, 0.5, 0.7, 0.7, 0.9, 0.9));
  EXPECT_THAT(column<std::string>(table, "error")[3], "it broke,\n\"badly\"");
  EXPECT_TRUE(std::isnan(column<double>(table, "val_top1")[3]));
  EXPECT_THAT(column<std::int64_t>(table, "best_epoch"), ElementsAre(2, 2, 2, -1, -1, -1));
  EXPECT_THAT(column<std::string>(table, "file")[0], "trials/trial0/result.h5");
  EXPECT_THAT(column<std::string>(table, "file")[3], "");
}

TEST_F(SweepTableTest, MetricsHoldTheEpochsOfAllTrialsThatBegan) {
  const Table table = sweep_metrics_table(made());
  EXPECT_EQ(table.rows(), 5u * 4u);
  EXPECT_THAT(column<std::int32_t>(table, "trial_idx"),
              ElementsAre(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4));
  EXPECT_THAT(column<double>(table, "loss")[2], 0.5);
}

TEST_F(SweepTableTest, CombinationsTakeStatisticsOverSeeds) {
  const Table table = combinations_table(made());
  EXPECT_THAT(column<std::string>(table, "combo_id"), ElementsAre("c1", "c2"));
  EXPECT_THAT(column<std::int64_t>(table, "n"), ElementsAre(2, 1));
  EXPECT_DOUBLE_EQ(column<double>(table, "val_top1_mean")[0], 0.7);
  EXPECT_NEAR(column<double>(table, "test_top1_std")[0], 0.2 / std::sqrt(2), 1e-15);
  EXPECT_TRUE(std::isnan(column<double>(table, "val_top1_std")[1]));
}

TEST_F(SweepTableTest, TheReportSortsByValidationAndShowsTest) {
  const std::string report = combinations_text(made());
  const std::size_t best = report.find("mlp");
  EXPECT_LT(best, report.find("gcn"));
  EXPECT_THAT(report, HasSubstr("70.0 ± 14.1"));
  EXPECT_THAT(report, HasSubstr("60.0 ± 14.1"));
  EXPECT_THAT(report, HasSubstr("graph: inductive_attach"));
  EXPECT_THAT(combinations_text(made(), {.rows = 1}), HasSubstr("1 of 2 combinations"));
  EXPECT_THAT(failed_trials(made()),
              HasSubstr("graph.tau=0.7 gnn.use=mlp seed=1 (trial3): it broke,\n    \"badly\""));
}

std::vector<std::string> first_words(const std::string& report) {
  std::vector<std::string> words;
  std::istringstream lines(report.substr(report.find("\n\n") + 2));
  for (std::string line; std::getline(lines, line);) {
    words.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return words;
}

TEST_F(SweepTableTest, TheReportIsOrderedByAnAxisByValueAndTextsAndNothingComeLast) {
  const auto trial = [](const Json& tau, const char* combo, double top1) {
    return MadeTrial{{{"graph.tau", tau}}, combo, 1, top1};
  };
  write_experiment(folder_, {"graph.tau"},
                   {trial(nullptr, "a", 0.9), trial(10, "b", 0.8), trial("auto", "c", 0.7),
                    trial(9, "d", 0.6), trial(0.5, "e", 0.5)});
  const SweepTable sweep = SweepTable::read(folder_, false);
  EXPECT_THAT(first_words(combinations_text(sweep, {.by = "graph.tau"})),
              ElementsAre("graph.tau", "0.5", "9", "10", "auto", "-"));
  EXPECT_THAT(first_words(combinations_text(sweep)),
              ElementsAre("graph.tau", "-", "10", "auto", "9", "0.5"));
  EXPECT_THAT(combinations_text(sweep, {.by = "graph.tau"}), HasSubstr("by graph.tau"));
}

TEST_F(SweepTableTest, TheReportShowsTheMetricsThatAreAskedFor) {
  const std::string report = combinations_text(made(), {.metrics = {"total_seconds", "epochs"}});
  EXPECT_THAT(report, testing::ContainsRegex("n +total_seconds +epochs"));
  EXPECT_THAT(report, testing::ContainsRegex("2 +2 ± 0 +2 ± 0"));
  EXPECT_THAT(report, Not(HasSubstr("test_top1")));
}

TEST_F(SweepTableTest, TheReportMarksWhereTheGraphHeldTheTestSamples) {
  write_experiment(folder_, {}, {{Json::object(), "c", 0, 0.5}});
  SweepTable sweep = SweepTable::read(folder_, false);
  EXPECT_THAT(combinations_text(sweep), Not(HasSubstr("^")));
  sweep.plan.rows[0].sees_test = true;
  EXPECT_THAT(combinations_text(sweep), HasSubstr("40.0 ^\n\n^ transductive"));
}

TEST_F(SweepTableTest, TheReportMarksWhereUntrainedWeightsWereKept) {
  write_experiment(folder_, {}, {{Json::object(), "c", 0, 0.5}});
  SweepTable sweep = SweepTable::read(folder_, false);
  TrialResult& result = sweep.records[0].result;
  result.trainable_parameters = 10;
  EXPECT_THAT(combinations_text(sweep), Not(HasSubstr("+")));
  result.best_epoch = 0;
  EXPECT_THAT(combinations_text(sweep), testing::ContainsRegex("40.0 \\+\n\n\\+ best_epoch 0"));
  result.trainable_parameters = 0;  // zero-shot: there is nothing to train
  EXPECT_THAT(combinations_text(sweep), Not(HasSubstr("+")));
}

TEST_F(SweepTableTest, AViewOfWhatThereIsNotIsRefusedWithTheNearestNames) {
  const TableView view{.by = "graph.tua", .metrics = {"val_top1", "test_tpo1"}};
  try {
    check_view(view, {"graph.tau", "seed"});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.problems().size(), 2u);
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("did you mean \"graph.tau\"?"),
                                             HasSubstr("did you mean \"test_top1\"?")));
  }
  EXPECT_THROW(check_view({.by = "seed"}, {"graph.tau", "seed"}), Error);
  check_view({.by = "graph.tau", .metrics = {"train_seconds"}}, {"graph.tau"});
}

TEST_F(SweepTableTest, AnAxisThatMakesNoDifferenceIsMissing) {
  const auto trial = [](const char* gnn, const Json& tau, double top1) {
    return MadeTrial{{{"gnn.use", gnn}, {"graph.tau", tau}}, gnn, 1, top1};
  };
  write_experiment(folder_ / "inert", {"gnn.use", "graph.tau"},
                   {trial("gcn", 0.5, 0.6), trial("gcn", 0.7, 0.8), trial("mlp", nullptr, 0.3)});
  const SweepTable sweep = SweepTable::read(folder_ / "inert", false);
  EXPECT_TRUE(std::isnan(column<double>(trials_table(sweep), "graph.tau")[2]));
  EXPECT_THAT(combinations_text(sweep), testing::ContainsRegex("mlp +- +1 "));
}

TEST_F(SweepTableTest, TheReportMarksWhatIsUntrained) {
  const auto trial = [](const char* gnn, std::int64_t seed, bool untrained) {
    return MadeTrial{.axes = {{"gnn.use", gnn}, {"seed", seed}},
                     .combo = gnn,
                     .seed = seed,
                     .untrained = untrained};
  };
  write_experiment(folder_ / "marked", {"gnn.use", "seed"},
                   {trial("gcn", 1, false), trial("gcn", 2, true), trial("mlp", 1, false)});
  const std::string report = combinations_text(SweepTable::read(folder_ / "marked", false));
  EXPECT_THAT(report, testing::ContainsRegex("gcn +2 .* \\+\n"));
  EXPECT_THAT(report, testing::Not(testing::ContainsRegex("mlp .* \\+\n")));
  EXPECT_THAT(report, HasSubstr("untrained"));
  EXPECT_THAT(combinations_text(made()), testing::Not(HasSubstr("untrained")));
}

TEST_F(SweepTableTest, ASweepWithoutAxesOrResultsIsWrittenToo) {
  write_experiment(folder_ / "one", {}, {{Json::object(), "c", 0, 0.5, "planned"}});
  const SweepTable one = SweepTable::read(folder_ / "one", false);
  write_sweep(one);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "one" / "sweep.h5"));
  EXPECT_EQ(combinations_text(one), "");
  EXPECT_EQ(failed_trials(one), "");
  EXPECT_EQ(trial_label(one.plan, 0), "trial0");
}

TEST_F(SweepTableTest, TensorBoardRunsAreOneATrialThatHasMetrics) {
  EXPECT_EQ(write_tensorboard(made(), folder_ / "tb"), 5u);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "tb" / "graph.tau=0.5 gnn.use=gcn seed=0 trial0" /
                                      "events.out.tfevents.0.espalier"));
}

TEST_F(SweepTableTest, RefusesASeedThatIsNoWholeNumber) {
  const std::string row =
      R"({"axes":{},"combo_id":"c","config":{"seed":4e33},"stages":{},"trial_id":"t"})"
      "\n";
  const Json header{
      {"plan", 1}, {"name", "x"}, {"axes", Json::array()}, {"sha256", hex(sha256(row))}};
  write(folder_ / "plan.jsonl", header.dump() + "\n" + row);
  EXPECT_THROW((void)SweepTable::read(folder_, false), Error);
}

TEST_F(SweepTableTest, APlanThatIsDamagedIsNamed) {
  (void)made();
  const std::filesystem::path file = folder_ / "plan.jsonl";
  const std::string bytes = contents(file);
  for (const std::string& bad :
       {bytes.substr(0, bytes.size() - 5), std::string("{}\n"), std::string("no plan"),
        std::string(), std::string(R"({"plan":9,"name":"x","axes":[],"sha256":""})")}) {
    write(file, bad);
    EXPECT_THROW((void)SweepTable::read(folder_, false), Error) << bad.substr(0, 40);
  }
}

}  // namespace
}  // namespace espalier
