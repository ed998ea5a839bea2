#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/image/png.hpp>
#include <espalier/plugin/dataset.hpp>
#include <fstream>

#include "image/golden_images.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::error_of;
using testing_support::make;

const fs::path images = fs::path(ESPALIER_SOURCE_DIR) / "tests/data/images";

// A folder of its own for each test.
class ImageFolder : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ =
        fs::temp_directory_path() / ("espalier_" + std::to_string(::getpid()) + "_" + info->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void photo(const std::string& name, std::uint8_t level = 0) const {
    fs::create_directories((root_ / name).parent_path());
    const Image image{4, 3, std::vector<std::uint8_t>(36, level)};
    std::ofstream(root_ / name, std::ios::binary) << encode_png(image);
  }
  void photos(const std::string& folder, int count) const {
    for (int i = 0; i < count; ++i) photo(folder + "/" + std::to_string(i) + ".png");
  }
  [[nodiscard]] std::shared_ptr<Dataset> load(Json params = Json::object()) const {
    params["root"] = root_.string();
    return make<Dataset>("image_folder", params);
  }
  [[nodiscard]] std::string load_error(const Json& params = Json::object()) const {
    return error_of([&] { (void)load(params); });
  }

  fs::path root_;
};

TEST_F(ImageFolder, OneFolderIsOneClass) {
  photos("pad_thai", 3);
  photos("apple pie/more", 3);
  photo("apple pie/.hidden.png");
  photo("readme.png");
  const auto data = load();
  EXPECT_THAT(data->class_names(), ElementsAre("apple pie", "pad thai"));
  ASSERT_EQ(data->samples().size(), 6u);
  EXPECT_EQ(data->samples()[0].id, "apple pie/more/0.png");
  EXPECT_EQ(data->samples()[5].label, 1);
  EXPECT_EQ(data->samples()[5].split, Split::none);
  EXPECT_EQ(data->image(5).width, 4);
}

TEST_F(ImageFolder, TrainValAndTestAreOfficialSplits) {
  photos("train/a", 2);
  photos("train/b", 1);
  photos("val/a", 1);
  photos("test/b", 1);
  const auto data = load();
  EXPECT_THAT(data->class_names(), ElementsAre("a", "b"));
  std::vector<std::string> seen;
  for (const Sample& sample : data->samples()) {
    seen.push_back(std::string(to_string(sample.split)) + std::to_string(sample.label));
  }
  EXPECT_THAT(seen, ElementsAre("test1", "train0", "train0", "train1", "val0"));
}

// It counts for nothing in the content either, so it must not change what the dataset is.
TEST_F(ImageFolder, AnEmptyFolderChangesNothing) {
  photos("a", 3);
  photos("b", 3);
  for (const char* folder : {"empty", "train", "test/also empty", "c/.hidden"}) {
    fs::create_directories(root_ / folder);
  }
  std::ofstream(root_ / "a" / "readme.txt") << "not a photo";
  EXPECT_THAT(load()->class_names(), ElementsAre("a", "b"));
  EXPECT_EQ(load()->samples().size(), 6U);
}

TEST_F(ImageFolder, SplitsMayBeWrittenAsPeopleDo) {
  photos("Training/a", 2);
  photos("Training/b", 2);
  photos("TEST/a", 1);
  photos("Annotations/x", 1);
  const auto data = load();
  EXPECT_THAT(data->class_names(), ElementsAre("a", "b"));
  EXPECT_EQ(data->samples()[0].split, Split::test);
  EXPECT_EQ(data->samples()[1].split, Split::train);
  photos("train/a", 1);
  EXPECT_THAT(load_error(),
              AllOf(HasSubstr("two folders of one split"), HasSubstr("Training, train")));
}

TEST_F(ImageFolder, SplitsNeedTrain) {
  photos("Val/a", 2);
  photos("test/b", 2);
  EXPECT_THAT(load_error(), AllOf(HasSubstr("lack `train`"), HasSubstr("only ")));
}

TEST_F(ImageFolder, NamesThatLookTheSameAreRefused) {
  for (const char* folder : {"a_b", "a b", "caf\xc3\xa9", "cafe\xcc\x81", "rose"})
    photos(folder, 3);
  EXPECT_THAT(load_error(), AllOf(HasSubstr("\"a b\", \"a_b\""), HasSubstr("cafe\\xcc\\x81"),
                                  Not(HasSubstr("rose"))));
}

// Pipes, devices, links in circles and names that are no text: named, or left out.
TEST_F(ImageFolder, WhatIsNoFileIsNamedOrSkipped) {
  photos("a", 3);
  photos("b", 3);
  ASSERT_EQ(::mkfifo((root_ / "a" / "pipe.jpg").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", root_ / "a" / "endless.jpg");
  fs::create_symlink("round.jpg", root_ / "a" / "round.jpg");
  fs::create_directory_symlink(root_, root_ / "b" / "up");
  photo("b/ros\xff.png");
  EXPECT_THAT(load_error(),
              AllOf(HasSubstr("pipe.jpg"), HasSubstr("endless.jpg"), HasSubstr("round.jpg"),
                    HasSubstr("b/up"), HasSubstr("b/ros\\xff.png")));
  EXPECT_EQ(load({{"unreadable", "skip"}})->samples().size(), 6U);
}

TEST_F(ImageFolder, AClassMayBeCalledTrain) {
  photos("train", 3);
  photos("bus", 3);
  EXPECT_THAT(load()->class_names(), ElementsAre("bus", "train"));
}

TEST_F(ImageFolder, NamesEveryUnreadableFileAtOnce) {
  photos("a", 3);
  photos("b", 3);
  fs::copy(images / "truncated.jpg", root_ / "a");
  std::ofstream(root_ / "a" / "empty.jpg");
  std::ofstream(root_ / "b" / "notes.txt") << "no photo";
  fs::create_symlink("nowhere.png", root_ / "b" / "dangling.png");
  std::string bomb = read_file(images / "picture.bmp");
  for (const std::size_t place : {18u, 22u}) bomb.replace(place, 4, std::string("\x30\x75\0\0", 4));
  std::ofstream(root_ / "b" / "bomb.bmp", std::ios::binary) << bomb;
  EXPECT_THAT(load_error(),
              AllOf(HasSubstr("truncated.jpg"), HasSubstr("empty.jpg"), HasSubstr("notes.txt"),
                    HasSubstr("dangling.png"), HasSubstr("bomb.bmp"), HasSubstr("30000 x 30000")));
  const auto data = load({{"unreadable", "skip"}});
  EXPECT_EQ(data->samples().size(), 6u);
}

TEST_F(ImageFolder, CutsLongListsShort) {
  photos("a", 3);
  photos("b", 3);
  for (int i = 0; i < 50; ++i) std::ofstream(root_ / "a" / ("x" + std::to_string(i) + ".jpg"));
  EXPECT_THAT(load_error(), HasSubstr("30 more files"));
}

TEST_F(ImageFolder, SaysWhatIsWrongWithTheClasses) {
  EXPECT_THAT(load_error(), AllOf(HasSubstr("too few classes"), HasSubstr("no folder")));
  photos("alone", 3);
  EXPECT_THAT(load_error(), HasSubstr("only \"alone\""));
  fs::rename(root_ / "alone", root_ / "train");
  EXPECT_THAT(load_error(), HasSubstr("only \"train\", which counts as a class"));
  fs::rename(root_ / "train", root_ / "alone");
  photo("single/1.png");
  EXPECT_THAT(load_error(), AllOf(HasSubstr("\"single\""), HasSubstr("found:    1"),
                                  Not(HasSubstr("\"alone\""))));
}

TEST_F(ImageFolder, AClassOutsideTrainIsRefused) {
  photos("train/a", 2);
  photos("train/b", 2);
  photos("test/c", 1);
  EXPECT_THAT(load_error(), AllOf(HasSubstr("\"c\""), HasSubstr("at least 1 in train")));
}

TEST_F(ImageFolder, TheFolderMustBeThere) {
  fs::remove_all(root_);
  EXPECT_THAT(load_error(), AllOf(HasSubstr(root_.string()), HasSubstr("nothing")));
  EXPECT_THAT(error_of([] { (void)make<Dataset>("image_folder"); }), HasSubstr("root"));
}

TEST_F(ImageFolder, ALinkIntoItselfIsAnError) {
  photos("a", 3);
  photos("b", 3);
  fs::create_directory_symlink(root_, root_ / "a" / "loop");
  EXPECT_THAT(load_error(), HasSubstr(root_.string()));
}

TEST_F(ImageFolder, NamesTheFileThatFailsLater) {
  photos("a", 3);
  photos("b", 3);
  const auto data = load();
  fs::remove(root_ / "b" / "1.png");
  EXPECT_THAT(error_of([&] { (void)data->image(4); }), HasSubstr("1.png"));
}

TEST_F(ImageFolder, TurnsPhotosUprightOnRequest) {
  for (const char* folder : {"a", "b"}) {
    photos(folder, 2);
    fs::copy(images / "exif_6.jpg", root_ / folder);
  }
  EXPECT_EQ(load()->image(2).width, 333);
  EXPECT_EQ(load({{"upright", true}})->image(2).width, 251);
}

TEST(ImageFolderOnPhotos, ReadsFood101) {
  const fs::path root = testing_support::data_dir() / "food-101" / "images";
  if (!fs::exists(root)) GTEST_SKIP() << "no " << root;
  const auto data = make<Dataset>("image_folder", {{"root", root.string()}});
  EXPECT_THAT(data->class_names(), ElementsAre("pizza", "steak", "sushi"));
  EXPECT_EQ(data->samples().size(), 300u);
  EXPECT_EQ(std::min(data->image(7).width, data->image(7).height), 224);
}

}  // namespace
}  // namespace espalier
