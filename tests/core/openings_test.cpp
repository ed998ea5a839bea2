// Files are opened for writing in one place, where links and pipes are refused.
#include <gmock/gmock.h>

#include <espalier/core/file.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_with(const std::vector<std::string>& words) {
  std::vector<std::string> found;
  for (const char* folder : {"framework/src", "framework/cli", "plugins"}) {
    const fs::path root(ESPALIER_SOURCE_DIR);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
      const std::string text = read_file(entry.path());
      for (const std::string& word : words) {
        if (text.find(word) != std::string::npos) {
          found.push_back(entry.path().lexically_relative(root).string() + ": " + word);
        }
      }
    }
  }
  return found;
}

TEST(Openings, ForWritingGoThroughOneHelper) {
  EXPECT_THAT(files_with({"ofstream", "std::fstream", "fopen(", "mkstemp(", "::creat(",
                          "_file_sink", "fs::copy_file(", "filesystem::copy_file(",
                          "filesystem::copy(", "H5F_ACC_RDWR", "Mat_Create"}),
              testing::ElementsAre("framework/src/train/environment.cpp: ofstream"))
      << "/proc/self/clear_refs is written there; all else is core/file's";
}

TEST(Openings, ThatMakeFilesGoThroughOneHelper) {
  for (const std::string& found : files_with({"O_CREAT"})) {
    const std::string file = found.substr(0, found.find(':'));
    if (file == "framework/src/core/file.cpp") continue;
    const std::string text = read_file(fs::path(ESPALIER_SOURCE_DIR) / file);
    EXPECT_NE(text.find("open_own_file("), std::string::npos) << file;
    EXPECT_EQ(text.find(" ::open("), std::string::npos) << file;
    EXPECT_EQ(text.find("(::open("), std::string::npos) << file;
  }
}

}  // namespace
}  // namespace espalier
