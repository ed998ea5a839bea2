#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <filesystem>
#include <string>

namespace espalier {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest() { fs::create_directories(folder_); }
  ~FileTest() override { fs::remove_all(folder_); }
  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("file_test_" + std::to_string(::getpid()));
};

TEST_F(FileTest, GivesBackWhatWasWrittenAndLeavesNothingElse) {
  const std::string bytes("a\0b\n", 4);
  write_file(folder_ / "x", "older and longer");
  write_file(folder_ / "x", bytes);
  EXPECT_EQ(read_file(folder_ / "x"), bytes);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FileTest, RefusesWhatIsTooLargeOrNoRegularFile) {
  write_file(folder_ / "x", "12345");
  EXPECT_EQ(read_file(folder_ / "x", 5), "12345");
  EXPECT_THROW((void)read_file(folder_ / "x", 4), Error);
  EXPECT_THROW((void)read_file(folder_), Error);
  EXPECT_THROW((void)read_file(folder_ / "absent"), Error);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THROW((void)read_file(folder_ / "pipe"), Error);
}

TEST_F(FileTest, KeepsTheOldFileWhereTheNewOneCannotBePutInItsPlace) {
  fs::create_directories(folder_ / "taken" / "inside");
  EXPECT_THROW(write_file(folder_ / "taken", "x"), Error);
  EXPECT_TRUE(fs::exists(folder_ / "taken" / "inside"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  EXPECT_THROW(write_file(folder_ / "absent" / "x", "x"), Error);
}

}  // namespace
}  // namespace espalier
