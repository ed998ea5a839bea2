#include "archive_support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class OxfordPets : public testing_support::ArchiveTest {
 protected:
  OxfordPets() : ArchiveTest("oxford_pets") {}

  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"Abyssinian_1", "Abyssinian_2", "great_pyrenees_10", "pug_3"}) {
      photo(std::string("images/") + name + ".jpg");
    }
    put("images/Abyssinian_1.mat", "leftover");
    put("annotations/trainval.txt", "#comment\nAbyssinian_1 1 1 1\ngreat_pyrenees_10 16 2 10\n");
    put("annotations/test.txt", "Abyssinian_2 1 1 1\r\npug_3 26 2 17\n");
  }
};

TEST_F(OxfordPets, ReadsTheOfficialSplits) {
  const auto data = load();
  EXPECT_THAT(data->class_names(), ElementsAre("abyssinian", "great pyrenees", "pug"));
  EXPECT_THAT(listed(*data),
              ElementsAre("train images/Abyssinian_1.jpg 0", "train images/great_pyrenees_10.jpg 1",
                          "test images/Abyssinian_2.jpg 0", "test images/pug_3.jpg 2"));
  EXPECT_EQ(data->image(1).width, 4);
}

TEST_F(OxfordPets, TakesCoOpsSplitsWhereTheirFileIsThere) {
  put("split_zhou_OxfordPets.json",
      R"({"train": [["pug_3.jpg", 1, "pug"], ["Abyssinian_1.jpg", 0, "abyssinian"]],
          "val": [["great_pyrenees_10.jpg", 2, "great_pyrenees"]],
          "test": [["Abyssinian_2.jpg", 0, "abyssinian"]]})");
  const auto data = load();
  EXPECT_THAT(data->class_names(), ElementsAre("abyssinian", "pug", "great pyrenees"));
  EXPECT_THAT(listed(*data),
              ElementsAre("train images/pug_3.jpg 1", "train images/Abyssinian_1.jpg 0",
                          "val images/great_pyrenees_10.jpg 2", "test images/Abyssinian_2.jpg 0"));
  EXPECT_EQ(load({{"split", "official"}})->samples().size(), 4u);
}

TEST_F(OxfordPets, TakesASplitFileFromElsewhere) {
  put("elsewhere.json", R"({"train": [["pug_3.jpg", 0, "pug"]], "val": [], "test": []})");
  EXPECT_EQ(load({{"split_file", (root_ / "elsewhere.json").string()}})->samples().size(), 1u);
  EXPECT_THAT(load_error({{"split", "coop"}}), HasSubstr("split_zhou_OxfordPets.json"));
}

TEST_F(OxfordPets, NamesEveryMistakeOfASplitFile) {
  put("split_zhou_OxfordPets.json",
      R"({"train": [["pug_3.jpg", 0, "pug"], ["absent.jpg", 0, "pug"], ["../x.jpg", 0, "pug"]],
          "val": [["Abyssinian_1.jpg", -1, "abyssinian"], ["Abyssinian_2.jpg", 0, "abyssinian"]],
          "test": [["pug_3.jpg", 0, "pug"], ["Abyssinian_1.jpg", 7, "far"], 3]})");
  EXPECT_THAT(load_error(), AllOf(HasSubstr("absent.jpg"), HasSubstr("outside of the folder"),
                                  HasSubstr("val[0] is out of range"), HasSubstr("two names"),
                                  HasSubstr("test[2] is no sample"), HasSubstr("listed twice"),
                                  HasSubstr("7 (far)")));
}

TEST_F(OxfordPets, NamesMissingPhotosAndWrongLinesTogether) {
  put("annotations/test.txt", "pug_9 26 2 17\npug_3 99 2 17\nno line\npug_3 1 1 1\n");
  EXPECT_THAT(load_error(), AllOf(HasSubstr("pug_9.jpg"), HasSubstr("test.txt:2"),
                                  HasSubstr("test.txt:3"), HasSubstr("two breeds")));
}

TEST_F(OxfordPets, GoesWithoutDamagedPhotosWhereTold) {
  put("images/pug_3.jpg", "no picture");
  EXPECT_THAT(load_error(), HasSubstr("pug_3.jpg"));
  EXPECT_EQ(load({{"unreadable", "skip"}})->samples().size(), 3u);
}

TEST_F(OxfordPets, DamagedListsAreErrors) {
  damage({"annotations/trainval.txt"});
  put("split_zhou_OxfordPets.json",
      R"({"train": [["pug_3.jpg", 0, "pug"]], "val": [], "test": []})");
  const std::string whole = bytes_of("split_zhou_OxfordPets.json");
  for (std::size_t i = 0; i < 20; ++i) {
    put("split_zhou_OxfordPets.json", whole.substr(0, i * whole.size() / 20));
    EXPECT_NE(load_error(), "");
  }
}

TEST_F(OxfordPets, AnAbsentRootIsAnError) {
  std::filesystem::remove_all(root_);
  EXPECT_THAT(load_error(), HasSubstr("the data folder is not there"));
}

// Abyssinian_5.jpg is a PNG with alpha, as in the archive.
TEST_F(OxfordPets, ReadsTheRealArchive) {
  const auto root = real("oxford-iiit-pet");
  if (root.empty()) GTEST_SKIP() << "no oxford-iiit-pet in ESPALIER_DATA_DIR";
  const auto data = testing_support::make<Dataset>("oxford_pets", {{"root", root.string()}});
  EXPECT_EQ(data->class_names().size(), 5u);
  EXPECT_EQ(data->class_names()[0], "abyssinian");
  EXPECT_EQ(data->samples().size(), 301u);
  const auto odd =
      std::find_if(data->samples().begin(), data->samples().end(),
                   [](const Sample& sample) { return sample.id == "images/Abyssinian_5.jpg"; });
  ASSERT_NE(odd, data->samples().end());
  EXPECT_GT(data->image(static_cast<std::size_t>(odd - data->samples().begin())).width, 100);
}

}  // namespace
}  // namespace espalier
