// Rooms of the framework look up a list and never down.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 17> rooms{
    "core",    "image",      "text",    "tensor", "nn",  "graph",  "plugin", "peft",   "dataset",
    "caption", "experiment", "results", "cache",  "run", "review", "train",  "testing"};
// Their headers are what plugins see, so they may not include those that are not installed.
constexpr std::array<std::string_view, 11> installed{"core",    "image",   "text",   "tensor",
                                                     "nn",      "graph",   "plugin", "peft",
                                                     "dataset", "caption", "testing"};

std::ptrdiff_t place(std::string_view room) {
  return std::find(rooms.begin(), rooms.end(), room) - rooms.begin();
}

bool is_installed(std::string_view room) {
  return std::find(installed.begin(), installed.end(), room) != installed.end();
}

// The rooms that a source includes, each with the line that does.
std::vector<std::pair<std::string, std::string>> included(const std::string& source) {
  static const std::regex line(R"(^#include [<"](?:espalier/)?(\w+)/[\w/]+\.hpp[>"])");
  std::vector<std::pair<std::string, std::string>> found;
  std::istringstream lines(source);
  for (std::string text; std::getline(lines, text);) {
    std::smatch match;
    if (std::regex_search(text, match, line)) found.emplace_back(match[1], text);
  }
  return found;
}

// What is wrong with the includes of one file of `room`.
std::vector<std::string> misdirected(const std::string& room, bool is_public,
                                     const std::string& source) {
  std::vector<std::string> wrong;
  for (const auto& [other, line] : included(source)) {
    if (place(other) == std::ssize(rooms)) continue;
    if (place(other) > place(room)) wrong.push_back(room + " looks down: " + line);
    if (is_public && !is_installed(other)) wrong.push_back("not installed: " + line);
  }
  return wrong;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Those of all files below `folder`, which holds a folder a room.
std::vector<std::string> misdirected_below(const fs::path& folder, bool is_public) {
  std::vector<std::string> wrong;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string room = fs::relative(entry.path(), folder).begin()->string();
    if (place(room) == std::ssize(rooms)) {
      wrong.push_back("no room of the list: " + entry.path().string());
      continue;
    }
    for (const std::string& what : misdirected(room, is_public, text_of(entry.path()))) {
      wrong.push_back(entry.path().string() + ": " + what);
    }
  }
  return wrong;
}

const fs::path framework = fs::path(ESPALIER_SOURCE_DIR) / "framework";

TEST(Includes, LookUpTheListOfRooms) {
  EXPECT_THAT(misdirected_below(framework / "src", false), testing::IsEmpty());
  EXPECT_THAT(misdirected_below(framework / "include/espalier", true), testing::IsEmpty());
}

TEST(Includes, FindOneThatLooksDown) {
  EXPECT_THAT(misdirected("nn", false, "#include <espalier/plugin/peft.hpp>\n"),
              testing::ElementsAre(testing::HasSubstr("nn looks down")));
  EXPECT_THAT(misdirected("run", false, "#include \"train/trial.hpp\"\n"), testing::SizeIs(1));
  EXPECT_THAT(misdirected("testing", true, "#include \"results/table.hpp\"\n"),
              testing::ElementsAre(testing::HasSubstr("not installed")));
  EXPECT_THAT(misdirected("train", false, "#include \"run/trial_request.hpp\"\n"),
              testing::IsEmpty());
}

}  // namespace
