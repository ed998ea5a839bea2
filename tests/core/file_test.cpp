#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <filesystem>
#include <future>
#include <string>

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Of files that this process writes, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

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

TEST_F(FileTest, SaysThatGitLfsLeftAPointerInPlaceOfAFile) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 605157884\n";
  write_file(folder_ / "vocab.json", pointer);
  try {
    (void)read_file(folder_ / "vocab.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("vocab.json"),
                                             testing::HasSubstr("git lfs pull")));
  }
  write_file(folder_ / "about.txt", "A " + pointer);
  EXPECT_NO_THROW((void)read_file(folder_ / "about.txt"));
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

TEST_F(FileTest, FollowsLinksToWhatAUserNamesAndNoneInItsOwnPlaces) {
  write_file(folder_ / "target", "kept");
  fs::create_symlink(folder_ / "target", folder_ / "link");
  EXPECT_EQ(read_file(folder_ / "link"), "kept");
  EXPECT_THROW((void)read_own_file(folder_ / "link"), Error);
  EXPECT_THROW(require_own_file(folder_ / "link"), Error);
  EXPECT_THROW(copy_own_file(folder_ / "link", folder_ / "copy"), Error);
  EXPECT_FALSE(is_there(folder_ / "copy"));
  for (const int flags : {O_RDWR, O_RDWR | O_CREAT, O_WRONLY | O_APPEND | O_CREAT}) {
    EXPECT_THROW((void)open_own_file(folder_ / "link", flags), StorageError);
  }
  EXPECT_THROW(write_file(folder_ / "link", "lost"), StorageError);
  EXPECT_EQ(read_file(folder_ / "target"), "kept");
}

TEST_F(FileTest, MakesNoFileBehindALinkThatLeadsNowhere) {
  fs::create_symlink(folder_ / "absent", folder_ / "link");
  EXPECT_TRUE(is_there(folder_ / "link"));
  EXPECT_THROW((void)open_own_file(folder_ / "link", O_RDWR | O_CREAT), StorageError);
  EXPECT_THROW(write_file(folder_ / "link", "lost"), StorageError);
  EXPECT_FALSE(is_there(folder_ / "absent"));
}

TEST_F(FileTest, NeitherWaitsForAPipeNorReplacesIt) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THROW((void)open_own_file(folder_ / "pipe", O_RDONLY), Error);
  EXPECT_THROW((void)open_own_file(folder_ / "pipe", O_WRONLY | O_APPEND), StorageError);
  EXPECT_THROW((void)open_own_file(folder_ / "pipe", O_RDWR | O_CREAT), StorageError);
  EXPECT_THROW((void)sha256_file(folder_ / "pipe"), Error);
  try {
    write_file(folder_ / "pipe", "x");
    FAIL() << "nothing was thrown";
  } catch (const StorageError& error) {
    EXPECT_EQ(error.problems()[0].found, "a pipe");
  }
  EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
}

TEST_F(FileTest, CopiesFilesOfItsOwn) {
  const std::string bytes(200'000, 'x');
  write_file(folder_ / "from", bytes);
  copy_own_file(folder_ / "from", folder_ / "to");
  EXPECT_EQ(read_own_file(folder_ / "to"), bytes);
}

TEST_F(FileTest, ALineThatDoesNotFitIsTakenBackAndSaysSoByItsType) {
  const FileSizeLimit limit(10);
  {
    const Descriptor open = open_own_file(folder_ / "x", O_RDWR | O_APPEND | O_CREAT);
    EXPECT_TRUE(append_whole(open.get(), "12345678"));
    EXPECT_FALSE(append_whole(open.get(), "abc"));
    EXPECT_EQ(errno, EFBIG);
  }
  EXPECT_EQ(read_file(folder_ / "x"), "12345678");
  EXPECT_THROW(write_file(folder_ / "y", "12345678901"), StorageError);
  EXPECT_FALSE(is_there(folder_ / "y"));
}

TEST_F(FileTest, TellsFailuresOfTheDiskByTheirCode) {
  for (const int code : {ENOSPC, EDQUOT, EROFS, EIO}) {
    EXPECT_TRUE(is_storage_failure({code, std::system_category()})) << code;
    EXPECT_TRUE(is_storage_failure({code, std::generic_category()})) << code;
  }
  EXPECT_FALSE(is_storage_failure({EINVAL, std::system_category()}));
  EXPECT_FALSE(is_storage_failure(std::make_error_code(std::future_errc::broken_promise)));
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
