// The pages of docs/reference say what the code declares.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <espalier/core/file.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>
#include <string>

#include "plugins_command.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// The page without the part of a component that needs a library which this build may be without.
std::string without(std::string page, const std::string& component) {
  const std::size_t begin = page.find("\n## " + component + "\n");
  if (begin == std::string::npos) return page;
  const std::size_t end = page.find("\n## ", begin + 1);
  return page.erase(begin, end == std::string::npos ? end : end - begin);
}

TEST(Reference, IsAsOldAsTheCode) {
  ::unsetenv("ESPALIER_PLUGIN_PATH");
  const fs::path written =
      fs::path(testing::TempDir()) / ("reference_" + std::to_string(::getpid()));
  const ProcessResult result = plugins({"reference", written.string()});
  ASSERT_TRUE(result.ok()) << result.err;
  const fs::path kept = fs::path(ESPALIER_SOURCE_DIR) / "docs/reference";
  std::size_t pages = 0;
  for (const auto& page : fs::directory_iterator(written)) {
    ++pages;
    const fs::path old = kept / page.path().filename();
    const std::string text = fs::exists(old) ? read_file(old) : "";
    const std::string made = read_file(page.path());
    const bool has_faiss = made.find("graph/knn_ivf") != std::string::npos;
    EXPECT_TRUE((has_faiss ? text : without(text, "graph/knn_ivf")) == made)
        << old << " is older than the code: run tools/reference";
  }
  EXPECT_EQ(pages, 7u);
  fs::remove_all(written);
}

TEST(PluginsShow, KnowsTheSectionsOfATrial) {
  for (const char* section : {"protocol", "nodes", "head", "train"}) {
    const ProcessResult shown = plugins({"show", section});
    EXPECT_TRUE(shown.ok()) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr(std::string(section) + ", a section of every trial"));
  }
  const std::string protocol = plugins({"show", "protocol"}).out;
  EXPECT_THAT(protocol, HasSubstr("shots              integer, default 16, 0 <= value <= 1000000"));
  EXPECT_THAT(protocol, HasSubstr("counts as shots where it is larger"));
  EXPECT_THAT(protocol, HasSubstr("matters only if not has(dataset, official_test)"));
  EXPECT_THAT(plugins({"show", "trian"}).err, HasSubstr("KIND/NAME"));
}

}  // namespace
}  // namespace espalier
