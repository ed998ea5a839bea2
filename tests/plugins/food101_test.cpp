#include "archive_support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Food101 : public testing_support::ArchiveTest {
 protected:
  Food101() : ArchiveTest("food101") {}

  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"pad_thai/1", "apple_pie/2", "apple_pie/3"}) {
      photo(std::string("images/") + name + ".jpg");
    }
    put("meta/classes.txt", "apple_pie\npad_thai\n");
    put("meta/train.txt", "pad_thai/1\napple_pie/2\n");
    put("meta/test.txt", "apple_pie/3\n");
  }
};

TEST_F(Food101, ReadsTheOfficialSplits) {
  const auto data = load();
  EXPECT_THAT(data->class_names(), ElementsAre("apple pie", "pad thai"));
  EXPECT_THAT(listed(*data),
              ElementsAre("train images/pad_thai/1.jpg 1", "train images/apple_pie/2.jpg 0",
                          "test images/apple_pie/3.jpg 0"));
}

TEST_F(Food101, TakesCoOpsSplitsWhereTheirFileIsThere) {
  put("split_zhou_Food101.json",
      R"({"train": [["apple_pie/2.jpg", 0, "apple_pie"]], "val": [["apple_pie/3.jpg", 0, "apple_pie"]],
          "test": [["pad_thai/1.jpg", 1, "pad_thai"]]})");
  EXPECT_THAT(listed(*load()),
              ElementsAre("train images/apple_pie/2.jpg 0", "val images/apple_pie/3.jpg 0",
                          "test images/pad_thai/1.jpg 1"));
}

TEST_F(Food101, NamesEveryMistakeTogether) {
  put("meta/test.txt", "apple_pie/9\nsushi/1\napple_pie/../../x\n");
  EXPECT_THAT(load_error(), AllOf(HasSubstr("apple_pie/9.jpg"), HasSubstr("test.txt:2"),
                                  HasSubstr("test.txt:3")));
}

TEST_F(Food101, DamagedListsAreErrors) { damage({"meta/train.txt", "meta/classes.txt"}); }

TEST_F(Food101, ReadsTheRealArchive) {
  const auto root = real("food-101");
  if (root.empty()) GTEST_SKIP() << "no food-101 in ESPALIER_DATA_DIR";
  const auto data = testing_support::make<Dataset>("food101", {{"root", root.string()}});
  EXPECT_THAT(data->class_names(), ElementsAre("pizza", "steak", "sushi"));
  EXPECT_EQ(data->samples().size(), 300u);
}

}  // namespace
}  // namespace espalier
