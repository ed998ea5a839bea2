// `espalier plugins` as a person types it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/process.hpp>

#include "plugin_folder.hpp"
#include "plugins_command.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(PluginsList, NamesWhatThereIsAndWhatWasNotTaken) {
  const PluginFolder folder;
  folder.add("plain");
  folder.put("broken.espalier.so", "nothing");
  const ProcessResult result = plugins({"list", "--plugins", folder.path().string()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("  plain              Says the same of every image\n"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("not taken"), HasSubstr("broken.espalier.so"),
                                HasSubstr(folder.path().string())));
}

TEST(PluginsShow, PrintsParametersAndSuggestsNames) {
  const PluginFolder folder;
  folder.add("undocumented");
  const std::string where = folder.path().string();
  const ProcessResult shown = plugins({"show", "captioner/undocumented", "--plugins", where});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("length             integer, default 3, 0 <= value <= 10"));
  const ProcessResult misspelt = plugins({"show", "captioner/undocumentd", "--plugins", where});
  EXPECT_EQ(misspelt.exit_code, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("did you mean \"captioner/undocumented\"?"));
  EXPECT_THAT(plugins({"show", "captoner/plain"}).err, HasSubstr("did you mean \"captioner\"?"));
  EXPECT_THAT(plugins({"show", "plain"}).err, HasSubstr("KIND/NAME"));
}

TEST(PluginsNew, RefusesBadNamesAndWhatIsThere) {
  const PluginFolder folder;
  const std::string taken = folder.path().string();
  folder.put("file", "mine");
  EXPECT_EQ(plugins({"new", "gnn/mine", taken}).exit_code, 2);
  EXPECT_EQ(read_file(folder.path() / "file"), "mine");
  for (const char* name : {"gnn/Mine", "gnn/../mine", "gnn/1st", "gnn/", "net/mine"}) {
    EXPECT_EQ(plugins({"new", name, taken + "/new"}).exit_code, 2) << name;
  }
  EXPECT_FALSE(fs::exists(folder.path() / "new"));
}

TEST(PluginsNew, WritesEveryKindWithNothingLeftToFillIn) {
  const PluginFolder folder;
  for (const char* kind : {"dataset", "captioner", "encoder", "graph", "gnn", "peft"}) {
    const fs::path to = folder.path() / kind;
    const ProcessResult result = plugins({"new", std::string(kind) + "/my_own", to.string()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    for (const char* file : {"my_own.cpp", "CMakeLists.txt", "README.md"}) {
      const std::string text = read_file(to / file);
      EXPECT_THAT(text, AllOf(HasSubstr("my_own"), Not(HasSubstr("@")))) << kind << " " << file;
    }
  }
}

// Whatever a plugin does, the one who checks it is told, and lives.
TEST(PluginsCheck, TellsCrashesFailuresAndTimeApart) {
  const auto check = [](const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"check", fixture(name).string()});
    return plugins(more);
  };
  const ProcessResult plain = check("plain");
  EXPECT_EQ(plain.exit_code, 0) << plain.out << plain.err;
  EXPECT_THAT(plain.out, HasSubstr("ok       repeatable"));
  EXPECT_EQ(check("chatty").exit_code, 0);

  const ProcessResult crash = check("static_crashes");
  EXPECT_EQ(crash.exit_code, 1);
  EXPECT_THAT(crash.out, HasSubstr("CRASHED  loads\n           signal 11 (Segmentation fault)"));

  const ProcessResult later = check("gnn_misbehaves", {"how=crash"});
  EXPECT_EQ(later.exit_code, 1);
  EXPECT_THAT(later.out, HasSubstr("CRASHED  sound_outputs\n           signal 11"));

  const ProcessResult undocumented = check("undocumented");
  EXPECT_EQ(undocumented.exit_code, 1);
  EXPECT_THAT(undocumented.out, AllOf(HasSubstr("FAILED   documented"), HasSubstr("\"length\"")));

  const ProcessResult sleeps = check("gnn_misbehaves", {"how=sleep", "--timeout", "4"});
  EXPECT_EQ(sleeps.exit_code, 1);
  EXPECT_THAT(sleeps.out, HasSubstr("no end within its time limit"));
}

TEST(PluginsCheck, NamesWhatAComponentDoesWrong) {
  const auto wrong = [](const std::string& how) {
    return plugins({"check", fixture("gnn_misbehaves").string(), "how=" + how}).out;
  };
  EXPECT_THAT(wrong("works"), HasSubstr(" 0 failed"));
  EXPECT_THAT(wrong("constructor"), HasSubstr("thrown in constructor"));
  EXPECT_THAT(wrong("init"), HasSubstr("thrown in init"));
  EXPECT_THAT(wrong("nan"), HasSubstr("the result is not finite"));
  EXPECT_THAT(wrong("shape"), HasSubstr("the shape is [0, 9]"));
  EXPECT_THAT(wrong("torch"), AllOf(HasSubstr("shapes cannot be multiplied"),
                                    Not(HasSubstr("Exception raised from"))));
  EXPECT_THAT(wrong("odd"), HasSubstr("no std::exception"));
}

}  // namespace
}  // namespace espalier
