#include <espalier/core/content.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <fstream>
#include <string>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Content : public testing::Test {
 protected:
  Content()
      : root_(fs::path(testing::TempDir()) /
              (std::string("content_") +
               testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
               std::to_string(::getpid()))) {
    fs::create_directories(root_);
  }
  ~Content() override { fs::remove_all(root_); }

  fs::path put(const std::string& name, const std::string& bytes) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << bytes;
    return root_ / name;
  }

  [[nodiscard]] std::string hash(const std::string& name) const {
    return hex(ContentHasher().digest(root_ / name));
  }

  std::string message(const std::string& name) const {
    try {
      (void)ContentHasher().digest(root_ / name);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path root_;
};

TEST_F(Content, OfAFileIsTheDigestOfItsBytes) {
  put("abc", "abc");
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// printf 'a-b/x\0%s\na/y\0%s\nz\0%s\n' $(for t in 1 2 3; do printf $t | sha256sum | cut -c-64;
// done)
//   | sha256sum
TEST_F(Content, OfAFolderIsTheDigestOfItsListing) {
  put("d/z", "3");
  put("d/a/y", "2");
  put("d/a-b/x", "1");
  EXPECT_EQ(hash("d"), "1344b9627666faf1d3a07b35898f7555264243af140c9fae1b47c2425feb9525");
}

TEST_F(Content, LeavesOutWhatIsHiddenAndEmptyFolders) {
  put("d/a", "1");
  const std::string before = hash("d");
  put("d/.DS_Store", "x");
  put("d/.git/config", "x");
  put("d/Thumbs.db", "x");
  put("d/readme.txt", "x");
  put("d/@eaDir/a/thumb.jpg", "x");
  fs::create_directories(root_ / "d/empty");
  EXPECT_EQ(hash("d"), before);
}

TEST_F(Content, ChangesWithEveryByteAndName) {
  put("d/a", "1");
  put("d/b", "2");
  const std::string before = hash("d");
  put("d/b", "3");
  EXPECT_NE(hash("d"), before);
  put("d/b", "2");
  EXPECT_EQ(hash("d"), before);
  fs::rename(root_ / "d/b", root_ / "d/c");
  EXPECT_NE(hash("d"), before);
}

TEST_F(Content, DoesNotDependOnWhereAFolderLies) {
  put("d/x/a", "1");
  put("far/away/x/a", "1");
  fs::create_directory_symlink("far/away", root_ / "link");
  EXPECT_EQ(hash("d"), hash("far/away"));
  EXPECT_EQ(hash("d"), hash("link"));
}

TEST_F(Content, NamesWhatIsNotThere) {
  fs::create_symlink("nowhere", root_ / "dangling");
  EXPECT_THAT(message("dangling"), HasSubstr("a symbolic link leads nowhere"));
  EXPECT_THAT(message("missing"), HasSubstr("missing"));
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message("pipe"), HasSubstr("neither a file nor a folder"));
}

// printf 'a\0%s\nloop\0-\nlost\0-\npipe\0-\nup\0-\n' $(printf 1 | sha256sum | cut -c-64) |
// sha256sum
TEST_F(Content, CountsWhatIsNoFileByItsName) {
  put("d/a", "1");
  put("beside", "1");
  fs::create_symlink("nowhere", root_ / "d/lost");
  fs::create_directory_symlink("../d", root_ / "d/loop");
  fs::create_directory_symlink("..", root_ / "d/up");
  ASSERT_EQ(::mkfifo((root_ / "d/pipe").c_str(), 0600), 0);
  EXPECT_EQ(hash("d"), "2c23617ea342879d45e2899c54737734a4d83f29c311aaa0d89c3be74e58058d");
  const std::uint64_t mark = content_mark(root_ / "d");
  EXPECT_EQ(ContentHasher().content(root_ / "d").mark, mark);
  fs::remove(root_ / "d/pipe");
  EXPECT_NE(content_mark(root_ / "d"), mark);
}

// printf 'a/1\0%s\nb\0=a\n' $(printf 1 | sha256sum | cut -c-64) | sha256sum
TEST_F(Content, CountsAFolderOnceHoweverManyLinksLeadThere) {
  put("d/a/1", "1");
  fs::create_directory_symlink("a", root_ / "d/b");
  EXPECT_EQ(hash("d"), "366a9e6c2a8b6820f3914beb5433d6eab8ee8d21b31c1ce9892e6d881b5aab29");
  for (int i = 0; i < 30; ++i) {
    fs::create_directories(root_ / "d" / std::to_string(i));
    for (const char* name : {"l", "r"}) {
      const fs::path link = root_ / "d" / std::to_string(i) / name;
      fs::create_directory_symlink("../" + std::to_string(i + 1), link);
    }
  }
  const std::string before = hash("d");
  fs::create_directories(root_ / "d/30");
  EXPECT_NE(hash("d"), before) << "a link that led nowhere";
}

TEST_F(Content, OfClassesIsWhatLiesInTheirFolders) {
  const auto classes = [&] {
    return ContentHasher().content(root_ / "d", ContentScope::class_folders);
  };
  put("d/cat/1", "1");
  put("d/dog/deep/2", "2");
  const HashedContent before = classes();
  EXPECT_EQ(before.digest, ContentHasher().digest(root_ / "d"));
  EXPECT_EQ(before.mark, content_mark(root_ / "d", ContentScope::class_folders));
  put("d/notes.csv", "3");
  put("d/.DS_Store", "4");
  put("d/cat/Thumbs.db", "5");
  EXPECT_EQ(classes().digest, before.digest);
  EXPECT_EQ(classes().mark, before.mark);
  EXPECT_NE(ContentHasher().digest(root_ / "d"), before.digest);
  put("d/cat/notes.csv", "3");
  EXPECT_NE(classes().digest, before.digest) << "a file among photos is no photo, and said so";
}

TEST_F(Content, OfClassesInSplitsLeavesOutWhatLiesBesideThem) {
  const auto classes = [&] {
    return hex(ContentHasher().digest(root_ / "d", ContentScope::class_folders));
  };
  put("d/Train/cat/1", "1");
  const std::string one = classes();
  put("d/test/cat/2", "2");
  const std::string two = classes();
  EXPECT_NE(two, one);
  put("d/Train/notes.csv", "3");
  put("d/other/3", "3");
  EXPECT_EQ(classes(), two);
  fs::create_directory_symlink("Train", root_ / "d/val");
  EXPECT_NE(classes(), two) << "a link to a folder is a folder";
}

TEST_F(Content, IsReadFromTheCacheWhileTheFileIsUntouched) {
  const fs::path cache = root_ / "cache/content";
  const fs::path file = put("a", "1");
  ContentHasher first(cache, {}, std::chrono::nanoseconds(0));
  const Digest digest = first.digest(file);
  ASSERT_TRUE(first.save());

  std::string text = read_file(cache);
  text.replace(text.find(hex(digest)), 64, std::string(64, 'a'));
  write_file(cache, text);
  EXPECT_EQ(hex(ContentHasher(cache).digest(file)), std::string(64, 'a'));

  put("a", "2");
  EXPECT_EQ(ContentHasher(cache).digest(file), sha256("2"));
}

TEST_F(Content, OfARecentFileIsNotRemembered) {
  const fs::path cache = root_ / "content";
  const fs::path file = put("a", "1");
  ContentHasher hasher(cache, {}, std::chrono::hours(1));
  (void)hasher.digest(file);
  EXPECT_TRUE(hasher.save());
  EXPECT_FALSE(fs::exists(cache));
}

TEST_F(Content, DoesNotTrustADamagedCache) {
  const fs::path file = put("a", "1");
  for (const std::string text :
       {"", "x", "espalier content cache 1\n", "espalier content cache 2\nz",
        "espalier content cache 1\nff 1 2 3 4 /a\n\n   \nzz",
        "espalier content cache 1\n\xff\xfe"}) {
    put("cache", text);
    EXPECT_EQ(ContentHasher(root_ / "cache").digest(file), sha256("1"));
  }
}

TEST_F(Content, WorksWithoutAPlaceForTheCache) {
  const fs::path file = put("a", "1");
  ContentHasher hasher(file / "below/a/file", {}, std::chrono::nanoseconds(0));
  EXPECT_EQ(hasher.digest(file), sha256("1"));
  EXPECT_FALSE(hasher.save());
}

TEST_F(Content, TellsHowFarItIs) {
  put("d/a", "1");
  put("d/b", "2");
  std::string calls;
  ContentHasher hasher({}, [&](std::int64_t done, std::int64_t total) {
    calls += std::to_string(done) + "/" + std::to_string(total) + " ";
  });
  (void)hasher.digest(root_ / "d");
  EXPECT_EQ(calls, "1/2 2/2 ");
}

TEST(ResolvePath, KnowsHomeAndRelativePaths) {
  EXPECT_EQ(resolve_path("/a/../b"), "/b");
  EXPECT_EQ(resolve_path("x/y"), fs::current_path() / "x/y");
  ::setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(resolve_path("~/photos"), "/home/someone/photos");
}

TEST(ResolvePath, RefusesUnknownBuiltins) {
  for (const std::string name : {"nothing-of-that-name", "../../etc/passwd", "", ".hidden"}) {
    EXPECT_THROW((void)resolve_path("builtin:" + name), Error) << name;
  }
}

}  // namespace
}  // namespace espalier
