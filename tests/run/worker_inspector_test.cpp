// Questions about data, answered by a process of its own.
#include "run/worker_inspector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <filesystem>
#include <string>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class WorkerInspectorTest : public testing::Test {
 protected:
  WorkerInspectorTest()
      : folder_(fs::path(testing::TempDir()) / ("inspector_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~WorkerInspectorTest() override { fs::remove_all(folder_); }

  // A worker that notes each start and answers every line by the script's `$line`.
  [[nodiscard]] WorkerCommand worker(const std::string& answer) const {
    const std::string script = "echo started >> '" + (folder_ / "starts").string() +
                               "'; while read -r line; do " + answer + "; done";
    return {.arguments = {"/bin/sh", "-c", script}, .environment = {}};
  }
  [[nodiscard]] std::size_t starts() const {
    if (!fs::exists(folder_ / "starts")) return 0;
    const std::string text = read_file(folder_ / "starts");
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  [[nodiscard]] fs::path memory() const { return folder_ / "cache" / "inspected"; }

  fs::path folder_;
  Json section_{{"use", "photos"}, {"root", "/data"}};
  InspectedSection dataset_{&section_, R"({"use":"photos"})"};
};

TEST_F(WorkerInspectorTest, RemembersAnswersAndStartsNoWorkerForThem) {
  const WorkerCommand command =
      worker(R"(echo '{"capabilities": ["official_test"], "train": 40, "val": 3, "others": 7}')");
  for (int run = 0; run < 2; ++run) {
    WorkerInspector inspector(command, memory());
    EXPECT_THAT(inspector.facts(dataset_).capabilities, ElementsAre("official_test"));
    EXPECT_EQ(inspector.check_protocol(dataset_, dataset_).train, 40);
    EXPECT_EQ(inspector.check_protocol(dataset_, dataset_).val, 3);
    EXPECT_EQ(inspector.check_protocol(dataset_, dataset_).others, 7);
  }
  EXPECT_EQ(starts(), 1u);
  WorkerInspector inspector(command, memory());
  const InspectedSection other{&section_, R"({"use":"others"})"};
  (void)inspector.facts(other);
  EXPECT_EQ(starts(), 2u);
}

TEST_F(WorkerInspectorTest, TellsWhereAMethodCutsByTheTowersLookedAt) {
  const WorkerCommand command = worker(
      R"(echo '{"cuts": [{"tower": "image", "cut": 9, "layers": 12, "bytes": 605184}], "trainable": 491520, "warnings": ["peft/hf: another base"]}')");
  WorkerInspector inspector(command, memory());
  const MethodCuts found = inspector.cuts(dataset_, dataset_, {"image"});
  const std::vector<TowerCut>& cuts = found.towers;
  ASSERT_EQ(cuts.size(), 1u);
  EXPECT_EQ(found.warnings, std::vector<std::string>{"peft/hf: another base"});
  EXPECT_EQ(cuts[0].tower, "image");
  EXPECT_EQ(cuts[0].cut, 9);
  EXPECT_EQ(cuts[0].layers, 12);
  EXPECT_EQ(cuts[0].bytes, 605184);
  EXPECT_EQ(cuts[0].trainable, 491520);
  EXPECT_EQ(inspector.cuts(dataset_, dataset_, {"image", "text"}).towers.size(), 1u)
      << "asked anew";
}

TEST_F(WorkerInspectorTest, SaysThatAnAnswerLacksSomething) {
  WorkerInspector inspector(worker("echo '{}'"), memory());
  try {
    (void)inspector.check_protocol(dataset_, dataset_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(memory().string()));
  }
}

TEST_F(WorkerInspectorTest, ThrowsProblemsAndForgetsThem) {
  const WorkerCommand command =
      worker(R"(echo '{"problems": [{"what": "photo a", "where": "a.jpg"}, {"what": "b"}]}')");
  for (int run = 0; run < 2; ++run) {
    WorkerInspector inspector(command, memory());
    try {
      inspector.check_head(dataset_, dataset_);
      FAIL() << "no error";
    } catch (const Error& error) {
      ASSERT_EQ(error.problems().size(), 2u);
      EXPECT_EQ(error.problems()[0].where, "a.jpg");
      EXPECT_EQ(error.problems()[1].what, "b");
    }
  }
  EXPECT_EQ(starts(), 2u);
}

TEST_F(WorkerInspectorTest, NamesTheDataThatEndsItsWorker) {
  WorkerInspector inspector(worker("echo 'last words' >&2; kill -SEGV $$"), memory());
  try {
    (void)inspector.facts(dataset_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("dataset/photos"), HasSubstr("signal 11"),
                                    HasSubstr("last words")));
  }
}

TEST_F(WorkerInspectorTest, AsksAgainWhereItsMemoryIsDamaged) {
  fs::create_directories(memory().parent_path());
  for (const char* text : {"", "{", "[]", R"({"format": 99})", R"({"format": 2, "answers": 3})"}) {
    write_file(memory(), std::string(text));
    WorkerInspector inspector(worker(R"(echo '{"capabilities": []}')"), memory());
    EXPECT_TRUE(inspector.facts(dataset_).capabilities.empty()) << text;
  }
  EXPECT_EQ(starts(), 5u);
}

}  // namespace
}  // namespace espalier
