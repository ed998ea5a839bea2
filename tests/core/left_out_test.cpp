#include <espalier/core/left_out.hpp>

#include <gtest/gtest.h>

namespace espalier {
namespace {

TEST(LeftOut, KnowsWhatIsNoData) {
  for (const char* name : {".", ".DS_Store", ".git", "Thumbs.db", "thumbs.db", "@eaDir", "#recycle",
                           "$RECYCLE.BIN", "__MACOSX", "__pycache__", "lost+found", "Desktop.ini",
                           "System Volume Information", "README", "readme.txt", "License.md"}) {
    EXPECT_TRUE(is_left_out(name)) << name;
  }
}

TEST(LeftOut, KeepsEverythingElse) {
  for (const char* name : {"rose.jpg", "readme.jpg", "readme.1.txt", "read me.txt", "labels.txt",
                           "macosx", "pycache", "recycle", "config.json", "", "notices.txt"}) {
    EXPECT_FALSE(is_left_out(name)) << name;
  }
}

}  // namespace
}  // namespace espalier
