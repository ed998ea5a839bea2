#include <espalier/dataset/photo_folder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PhotoFolder : public testing::Test {
 protected:
  ~PhotoFolder() override { fs::remove_all(root_); }

  void put(const std::string& name) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << "x";
  }
  [[nodiscard]] std::vector<std::string> below() const {
    std::vector<std::string> names;
    for (const fs::path& file : files_below(root_)) {
      names.push_back(file.lexically_relative(root_).string());
    }
    return names;
  }

  fs::path root_ = fs::path(testing::TempDir()) / ("photo_folder_" + std::to_string(::getpid()));
};

TEST_F(PhotoFolder, LeavesOutWhatSystemsLeaveBehind) {
  for (const char* name :
       {"a/1.jpg", "@eaDir/1.jpg", "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/a/._1.jpg",
        "$RECYCLE.BIN/x.jpg", "lost+found/1", "a/Thumbs.db", "a/.hidden/2.jpg", "readme.txt"}) {
    put(name);
  }
  EXPECT_THAT(below(), ElementsAre("a/1.jpg"));
  EXPECT_THAT(folders_in(root_), ElementsAre(root_ / "a"));
}

// Every link that leads back is named once, where it lies, however many ways lead there.
TEST_F(PhotoFolder, DoesNotFollowLinksInCircles) {
  put("a/1.jpg");
  fs::create_directory_symlink(root_, root_ / "a/up");
  fs::create_symlink("itself", root_ / "itself");
  fs::create_symlink("nowhere", root_ / "dangling");
  EXPECT_THAT(below(), ElementsAre("a/1.jpg", "a/up", "dangling", "itself"));
}

// Two links in each of 20 folders to the next: a million ways.
TEST_F(PhotoFolder, SearchesAFolderOnce) {
  for (int i = 0; i < 20; ++i) {
    fs::create_directories(root_ / std::to_string(i));
    for (const char* name : {"l", "r"}) {
      fs::create_directory_symlink("../" + std::to_string(i + 1), root_ / std::to_string(i) / name);
    }
  }
  put("20/1.jpg");
  const std::vector<std::string> found = below();
  EXPECT_EQ(found.size(), 41U) << "40 links";
  EXPECT_THAT(found, testing::Contains("20/1.jpg"));
}

// The way up leads to other classes.
TEST_F(PhotoFolder, DoesNotFollowLinksUp) {
  put("a/1.jpg");
  put("b/2.jpg");
  fs::create_directory_symlink("..", root_ / "a/up");
  EXPECT_THAT(files_below(root_ / "a"), ElementsAre(root_ / "a/1.jpg", root_ / "a/up"));
}

TEST_F(PhotoFolder, NamesAFolderThatCannotBeSearched) {
  put("a/1.jpg");
  fs::create_directory_symlink("..", root_ / "a/up");
  EXPECT_THAT(files_below(root_ / "a/up"), ElementsAre(root_ / "a/up"));
}

TEST_F(PhotoFolder, FollowsALinkToAFolderElsewhere) {
  put("elsewhere/1.jpg");
  fs::create_directories(root_ / "a");
  fs::create_directory_symlink("../elsewhere", root_ / "a/link");
  EXPECT_THAT(files_below(root_ / "a"), ElementsAre(root_ / "a/link/1.jpg"));
}

TEST(SplitNames, AreKnownInAnyCase) {
  EXPECT_EQ(split_named("Train"), Split::train);
  EXPECT_EQ(split_named("TRAINING"), Split::train);
  EXPECT_EQ(split_named("Validation"), Split::val);
  EXPECT_EQ(split_named("valid"), Split::val);
  EXPECT_EQ(split_named("Testing"), Split::test);
  EXPECT_EQ(split_named("trains"), std::nullopt);
  EXPECT_EQ(split_named(""), std::nullopt);
}

std::string problems_of(const std::vector<std::string>& names) {
  Problems problems;
  check_class_names(names, "photos", problems);
  std::string text;
  for (const Problem& problem : problems.list()) text += to_string(problem) + "\n";
  return text;
}

TEST(ClassNames, ThatAreSpokenAlikeAreRefused) {
  EXPECT_THAT(problems_of({"rose", "a_b", "a b", "lily"}),
              AllOf(HasSubstr("\"a b\", \"a_b\""), testing::Not(HasSubstr("lily"))));
  EXPECT_THAT(problems_of({"rose", "rose "}), HasSubstr("\"rose\", \"rose \""));
  // The same word with a composed and with a separate accent: only the bytes tell them apart.
  EXPECT_THAT(problems_of({"caf\xc3\xa9", "cafe\xcc\x81"}),
              AllOf(HasSubstr("caf\\xc3\\xa9"), HasSubstr("cafe\\xcc\\x81")));
  EXPECT_THAT(problems_of({"ros\xff", "lily"}), HasSubstr("ros\\xff"));
  EXPECT_THAT(problems_of({"_", "lily"}), HasSubstr("is empty"));
  EXPECT_THAT(problems_of({"Rose", "rose", "caf\xc3\xa9", "cafe"}), IsEmpty());
}

TEST(ClassNames, AreSpokenInOneForm) {
  EXPECT_EQ(spoken_name(" apple__pie_ "), "apple pie");
  EXPECT_EQ(spoken_name("cafe\xcc\x81"), "caf\xc3\xa9");
  EXPECT_EQ(spoken_name("a\xff_b"), "a\xff_b");
}

}  // namespace
}  // namespace espalier
