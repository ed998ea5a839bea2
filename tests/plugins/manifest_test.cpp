#include "archive_support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Manifest : public testing_support::ArchiveTest {
 protected:
  Manifest() : ArchiveTest("manifest") {}

  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"a/1.jpg", "a/2.jpg", "3.jpg", "4.jpg"}) photo(name);
    put("manifest.csv",
        "path,label,split,caption\n"
        "a/1.jpg,rose,train,\"red, with thorns\"\n3.jpg,lily,test,\na/2.jpg,lily,val,white\n"
        "./4.jpg,lily,Train,\n");
  }
};

TEST_F(Manifest, ReadsLabelsSplitsAndCaptions) {
  const auto data = load();
  EXPECT_THAT(data->class_names(), ElementsAre("lily", "rose"));
  EXPECT_THAT(listed(*data),
              ElementsAre("train a/1.jpg 1", "test 3.jpg 0", "val a/2.jpg 0", "train 4.jpg 0"));
  EXPECT_EQ(data->facts(0), Json({{"caption", "red, with thorns"}}));
  EXPECT_EQ(data->image(2).height, 3);
}

TEST_F(Manifest, NeedsNoSplitsAndNoCaptions) {
  put("other.csv", "label,path\nrose,a/1.jpg\nlily,3.jpg\n");
  const auto data = load({{"file", "other.csv"}});
  EXPECT_THAT(listed(*data), ElementsAre("none a/1.jpg 1", "none 3.jpg 0"));
  EXPECT_EQ(data->facts(0), Json({{"caption", ""}}));
}

TEST_F(Manifest, NamesEveryMistakeTogether) {
  put("manifest.csv",
      "path,label,split\n../x.jpg,rose,train\na/1.jpg,,train\na/2.jpg,rose,dev\n"
      "3.jpg,rose\n9.jpg,lily,test\n3.jpg,lily,test\n3.jpg,lily,train\n");
  EXPECT_THAT(load_error(), AllOf(HasSubstr("manifest.csv:2"), HasSubstr("manifest.csv:3"),
                                  HasSubstr("manifest.csv:4"), HasSubstr("manifest.csv:5"),
                                  HasSubstr("9.jpg"), HasSubstr("listed twice")));
}

TEST_F(Manifest, ReadsOtherTables) {
  put("list.tsv",
      "file\tspecies\tfold\ttext\n3.jpg\trose\ttraining\ta, b\n4.jpg\tlily\ttrain\tc\n");
  const auto data = load({{"file", "list.tsv"},
                          {"delimiter", "tab"},
                          {"path_column", "file"},
                          {"label_column", "species"},
                          {"split_column", "fold"},
                          {"caption_column", "text"}});
  EXPECT_THAT(listed(*data), ElementsAre("train 3.jpg 1", "train 4.jpg 0"));
  EXPECT_EQ(data->facts(0).at("caption"), "a, b");
  EXPECT_THAT(load_error({{"split_column", "fold"}}), HasSubstr("no column \"fold\""));
}

TEST_F(Manifest, SaysOnceThatSplitsAreMissing) {
  put("manifest.csv", "path,label,split\na/1.jpg,rose,train\n3.jpg,lily,\n4.jpg,lily,\n");
  EXPECT_THAT(load_error(), AllOf(HasSubstr("2 of 3 photos have no split"), HasSubstr("lines 3, 4"),
                                  HasSubstr("manifest.csv:3")));
}

TEST_F(Manifest, SeesThroughWaysOfWriting) {
  put("manifest.csv",
      "path,label,split\na/1.jpg,rose,train\n./a//1.jpg,rose,test\n3.jpg,lily,train\n");
  EXPECT_THAT(load_error(), HasSubstr("listed twice"));
  put("manifest.csv", "path,label\na/1.jpg,a_b\n3.jpg,a b\n4.jpg,rose\n");
  EXPECT_THAT(load_error(), HasSubstr("\"a b\", \"a_b\""));
  put("manifest.csv", "path,label,split\na/1.jpg,rose,train\n3.jpg,lily,test\n");
  EXPECT_THAT(load_error(), AllOf(HasSubstr("\"lily\""), HasSubstr("at least 1 in train")));
}

TEST_F(Manifest, NamesAMissingColumn) {
  put("manifest.csv", "file,class\n1,2\n");
  EXPECT_THAT(load_error(),
              AllOf(HasSubstr("\"path\""), HasSubstr("\"label\""), HasSubstr("file,class")));
  EXPECT_THAT(load_error({{"file", "../manifest.csv"}}), HasSubstr("must lie in the root"));
}

TEST_F(Manifest, DamagedTablesAreErrors) { damage({"manifest.csv"}); }

}  // namespace
}  // namespace espalier
