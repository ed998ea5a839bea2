#include "review/decision_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <fstream>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Decisions : public testing::Test {
 protected:
  ~Decisions() override { fs::remove_all(folder_); }

  static Decision accept(const std::string& id) {
    Decision decision;
    decision.id = id;
    decision.caption = caption_hash("text");
    decision.verdict = Verdict::accept;
    decision.queue = "audit";
    return decision;
  }
  [[nodiscard]] fs::path file() const { return decision_file(folder_, "anna"); }
  void append_bytes(const std::string& bytes) const {
    std::ofstream(file(), std::ios::app | std::ios::binary) << bytes;
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> list;
    for (const Decision& one : decisions_of(folder_, "anna")) list.push_back(one.id);
    return list;
  }

  fs::path folder_ = fs::path(testing::TempDir()) / ("decisions_" + std::to_string(::getpid()));
};

TEST_F(Decisions, StayWhenTheLogIsOpenedAgain) {
  {
    DecisionLog log(folder_, "anna");
    log.add(accept("a"));
    Decision edit = accept("b");
    edit.verdict = Verdict::edit;
    edit.text = "une fleur, \"bleue\"\n";
    edit.reasons = {"wrong colour"};
    edit.ms = 1234;
    EXPECT_EQ(log.add(edit).seq, 2);
  }
  const DecisionLog again(folder_, "anna");
  ASSERT_EQ(again.standing().size(), 2u);
  const Decision& b = again.standing()[1];
  EXPECT_EQ(b.text, "une fleur, \"bleue\"\n");
  EXPECT_EQ(b.reasons, std::vector<std::string>{"wrong colour"});
  EXPECT_EQ(b.ms, 1234);
  EXPECT_EQ(b.caption, caption_hash("text"));
  EXPECT_EQ(b.time.size(), std::string("2026-11-26T17:05:12Z").size());
}

TEST_F(Decisions, AreTakenBackOneAfterTheOtherToTheFirst) {
  DecisionLog log(folder_, "anna");
  for (const char* id : {"a", "b", "c"}) log.add(accept(id));
  EXPECT_EQ(log.undo()->id, "c");
  log.add(accept("d"));
  EXPECT_EQ(log.undo()->id, "d");
  EXPECT_EQ(ids(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(log.undo()->id, "b");
  EXPECT_EQ(log.undo()->id, "a");
  EXPECT_FALSE(log.undo().has_value());
  EXPECT_TRUE(ids().empty());
}

TEST_F(Decisions, LoseNoMoreThanATornLastLine) {
  {
    DecisionLog log(folder_, "anna");
    log.add(accept("a"));
    log.add(accept("b"));
  }
  const std::string whole = read_file(file());
  for (const std::size_t bytes : {std::size_t{1}, whole.size() / 4, whole.size() / 2 - 2}) {
    append_bytes(whole.substr(0, bytes));
    EXPECT_EQ(ids(), (std::vector<std::string>{"a", "b"}));
    DecisionLog log(folder_, "anna");
    EXPECT_EQ(read_file(file()), whole);
    log.add(accept("c"));
    log.undo();
    fs::resize_file(file(), whole.size());
  }
  append_bytes(std::string(40, '\0') + "\n");
  EXPECT_EQ(DecisionLog(folder_, "anna").standing().size(), 2u);
}

TEST_F(Decisions, AreRefusedWhereALineInTheMiddleIsDamaged) {
  {
    DecisionLog log(folder_, "anna");
    for (const char* id : {"a", "b", "c"}) log.add(accept(id));
  }
  std::string text = read_file(file());
  text[text.find("\"b\"") + 1] = 'x';
  std::ofstream(file(), std::ios::binary) << text;
  try {
    const DecisionLog log(folder_, "anna");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("decisions.anna.jsonl:2"));
  }
  EXPECT_THROW((void)read_decisions(text, "bob", "x"), Error);
}

TEST_F(Decisions, HaveOnePageAReviewer) {
  const DecisionLog log(folder_, "anna");
  EXPECT_THROW(DecisionLog(folder_, "anna"), Error);
  const DecisionLog other(folder_, "bob");
  EXPECT_EQ(reviewers_in(folder_), (std::vector<std::string>{"anna", "bob"}));
}

TEST_F(Decisions, GoNowhereThroughALink) {
  fs::create_directories(folder_);
  fs::create_symlink("/tmp/elsewhere", file());
  EXPECT_THROW(DecisionLog(folder_, "anna"), Error);
}

TEST(ReviewerName, IsWhatAFileCanBeCalledAfter) {
  EXPECT_TRUE(is_reviewer_name("Anna-2_b"));
  for (const char* bad :
       {"", "../x", "a.b", "a b", "é", "0123456789012345678901234567890123456789x"})
    EXPECT_FALSE(is_reviewer_name(bad)) << bad;
}

}  // namespace
}  // namespace espalier
