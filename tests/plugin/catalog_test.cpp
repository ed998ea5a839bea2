#include <espalier/plugin/catalog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "plugin_folder.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

PluginPath given(std::vector<fs::path> folders) { return {.folders = folders, .optional = {}}; }

std::string rejections(const Catalog& catalog) {
  std::string text;
  for (const RejectedPlugin& plugin : catalog.rejected()) text += to_string(plugin.problem) + "\n";
  return text;
}

TEST(Catalog, TakesWhatFitsAndSaysWhyNotOfTheRest) {
  const PluginFolder folder;
  folder.add("plain");
  folder.add("gnn_misbehaves");
  folder.put("broken.espalier.so", "nothing");
  folder.put("unrelated.so", "nothing");
  folder.add_changed("chatty", "\"compiler\":\"", "\"compilex\":\"", "stranger.espalier.so");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe.espalier.so").c_str(), 0600), 0);

  const Catalog catalog = Catalog::scan(given({folder.path()}));
  ASSERT_EQ(catalog.all().size(), 2u);
  EXPECT_EQ(catalog.all()[0].name, "plain") << "captioners come before networks";
  EXPECT_EQ(catalog.all()[1].name, "misbehaves");
  EXPECT_THAT(catalog.names("captioner"), ElementsAre("plain"));
  EXPECT_EQ(catalog.find("captioner", "plain")->file, folder.path() / "plain.espalier.so");
  EXPECT_EQ(catalog.find("gnn", "plain"), nullptr);
  EXPECT_EQ(catalog.rejected().size(), 3u);
  EXPECT_THAT(rejections(catalog),
              AllOf(HasSubstr("broken.espalier.so"), HasSubstr("E-ABI"), HasSubstr("pipe")));
}

TEST(Catalog, RefusesTheSameComponentTwiceInOneFolder) {
  const PluginFolder folder;
  folder.add("plain");
  folder.put("also.espalier.so", read_file(fixture("plain")));
  EXPECT_THAT(error_of([&] { (void)Catalog::scan(given({folder.path()})); }),
              AllOf(HasSubstr("captioner/plain"), HasSubstr("also.espalier.so"),
                    HasSubstr("plain.espalier.so")));
}

TEST(Catalog, LetsTheEarlierFolderWin) {
  const PluginFolder first;
  const PluginFolder second;
  first.add("plain");
  second.add("plain");
  second.add("chatty");
  const Catalog catalog = Catalog::scan({.folders = {first.path()}, .optional = {second.path()}});
  EXPECT_EQ(catalog.find("captioner", "plain")->file.parent_path(), first.path());
  EXPECT_EQ(catalog.find("captioner", "chatty")->file.parent_path(), second.path());
  EXPECT_THAT(rejections(catalog), HasSubstr("shadowed"));
  EXPECT_THAT(catalog.searched(), ElementsAre(first.path(), second.path()));
}

TEST(Catalog, LooksIntoAFolderOnceWhateverItsNames) {
  const PluginFolder folder;
  folder.add("plain");
  const Catalog catalog =
      Catalog::scan({.folders = {folder.path(), folder.path() / ".." / folder.path().filename()},
                     .optional = {folder.path()}});
  EXPECT_EQ(catalog.searched().size(), 1u);
  EXPECT_TRUE(catalog.rejected().empty());
}

TEST(Catalog, InsistsOnFoldersThatWereGivenAndNotOnTheOthers) {
  EXPECT_THAT(error_of([] {
                (void)Catalog::scan(given({"/nowhere/a", "/nowhere/b"}));
              }),
              AllOf(HasSubstr("--plugins /nowhere/a"), HasSubstr("--plugins /nowhere/b")));
  EXPECT_TRUE(Catalog::scan({.folders = {}, .optional = {"/nowhere"}}).all().empty());
}

TEST(PluginPath, FollowsTheEnvironmentAndTheLayoutAroundTheProgram) {
  ::setenv("ESPALIER_PLUGIN_PATH", "/env/one::/env/two", 1);
  const PluginPath path = PluginPath::standard("/opt/e/bin/espalier", {"/given"});
  const PluginPath worker = PluginPath::standard("/opt/e/libexec/espalier/espalier-worker");
  ::unsetenv("ESPALIER_PLUGIN_PATH");
  EXPECT_THAT(path.folders, ElementsAre("/given"));
  ASSERT_EQ(path.optional.size(), 4u);
  EXPECT_EQ(path.optional[0], "/env/one");
  EXPECT_EQ(path.optional[1], "/env/two") << "an empty entry is not the current folder";
  EXPECT_EQ(path.optional[2], "/opt/e/plugins");
  EXPECT_THAT(path.optional[3].string(), testing::EndsWith("/espalier/plugins"));
  EXPECT_EQ(worker.optional, std::vector(path.optional));
}

}  // namespace
}  // namespace espalier
