#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <espalier/core/process.hpp>
#include <espalier/plugin/catalog.hpp>
#include <thread>

#include "plugin_folder.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// A worker that knows one schema, counts its calls, and misbehaves on request.
class FakeWorker {
 public:
  explicit FakeWorker(const std::string& what_it_does) {
    folder_.put("calls", "");
    fs::permissions(log(), fs::perms(0666));
    const std::string script = "#!/bin/sh\necho call >> " + log().string() +
                               "\n[ $1 = describe ] && shift\n" + what_it_does;
    folder_.put("worker", script);
    fs::permissions(program(), fs::perms(0755));
  }
  [[nodiscard]] fs::path program() const { return folder_.path() / "worker"; }
  [[nodiscard]] std::size_t calls() const {
    const std::string text = read_file(log());
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

 private:
  [[nodiscard]] fs::path log() const { return folder_.path() / "calls"; }
  PluginFolder folder_;
};

// Gives up being root for as long as it lives, because root may write everywhere.
class Unprivileged {
 public:
  Unprivileged() {
    if (::geteuid() != 0) return;
    EXPECT_EQ(::seteuid(65534), 0);
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() { EXPECT_EQ(::seteuid(::getuid()), 0); }
};

// One boolean field for the component `plain` of each file.
const std::string answers = R"sh(
echo '{}'
for file in "$@"; do
  case "$file" in *chatty*) [ -n "$DIES" ] && kill -$DIES $$ ;; esac
  printf '{"components":[{"kind":"captioner","name":"plain","schema":'
  printf '{"fields":[{"name":"loud","type":"boolean","default":false}],"checks":[]}}]}\n'
done
)sh";

Catalog scan(const PluginFolder& folder) {
  return Catalog::scan({.folders = {folder.path()}, .optional = {}});
}

std::size_t fields_of(const Catalog& catalog) {
  const ComponentInfo* plain = catalog.find("captioner", "plain");
  return plain == nullptr ? 0 : plain->schema.fields.size();
}

TEST(Index, AsksOnceAndAgainWhenAPluginChanges) {
  const FakeWorker worker(answers);
  const PluginFolder folder;
  const fs::path plugin = folder.add("plain");
  for (int round = 0; round < 3; ++round) {
    Catalog catalog = scan(folder);
    EXPECT_EQ(fields_of(catalog), 0u);
    catalog.describe(worker.program());
    EXPECT_EQ(fields_of(catalog), 1u);
  }
  EXPECT_EQ(worker.calls(), 1u);

  folder.add("plain");  // the same bytes in another file
  Catalog catalog = scan(folder);
  catalog.describe(worker.program());
  EXPECT_EQ(fields_of(catalog), 1u);
  EXPECT_EQ(worker.calls(), 2u);
}

TEST(Index, IsMadeAgainWhateverIsInIt) {
  const FakeWorker worker(answers);
  const PluginFolder folder;
  folder.add("plain");
  Catalog first = scan(folder);
  first.describe(worker.program());
  const std::string good = read_file(folder.path() / "espalier-index.json");
  const std::vector<std::string> bad = {"",
                                        "{",
                                        "[]",
                                        "3",
                                        good.substr(0, good.size() / 2),
                                        R"({"index":1})",
                                        R"({"index":"1","abi":{},"files":[]})",
                                        std::string(200, '[')};
  std::size_t calls = worker.calls();
  for (const std::string& text : bad) {
    folder.put("espalier-index.json", text);
    Catalog catalog = scan(folder);
    catalog.describe(worker.program());
    EXPECT_EQ(fields_of(catalog), 1u) << text;
    EXPECT_EQ(worker.calls(), ++calls) << text;
  }
  Json changed = Json::parse(good);
  changed["files"]["plain.espalier.so"]["components"] = "none";
  folder.put("espalier-index.json", changed.dump());
  Catalog catalog = scan(folder);
  catalog.describe(worker.program());
  EXPECT_EQ(fields_of(catalog), 1u);
  changed = Json::parse(good);
  changed["abi"]["framework"] = "0";
  folder.put("espalier-index.json", changed.dump());
  catalog = scan(folder);
  catalog.describe(worker.program());
  EXPECT_EQ(worker.calls(), calls + 2);
}

TEST(Index, SurvivesManyWritersAtOnce) {
  const FakeWorker worker(answers);
  const PluginFolder folder;
  folder.add("plain");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        fs::remove(folder.path() / "espalier-index.json");
        Catalog catalog = scan(folder);
        catalog.describe(worker.program());
        EXPECT_EQ(fields_of(catalog), 1u);
      }
    });
  }
}

TEST(Index, LiesInTheCacheOfTheUserWhereTheFolderIsNotTheirs) {
  const FakeWorker worker(answers);
  const PluginFolder folder;
  const PluginFolder cache;
  folder.add("plain");
  fs::permissions(folder.path(), fs::perms(0555));
  fs::permissions(cache.path(), fs::perms::all);
  ::setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  for (int round = 0; round < 2; ++round) {
    const Unprivileged unprivileged;
    Catalog catalog = scan(folder);
    catalog.describe(worker.program());
    EXPECT_EQ(fields_of(catalog), 1u);
  }
  ::unsetenv("XDG_CACHE_HOME");
  fs::permissions(folder.path(), fs::perms::owner_all);
  EXPECT_EQ(worker.calls(), 1u);
  EXPECT_FALSE(fs::is_empty(cache.path() / "espalier"));
}

TEST(Index, NamesTheSignalThatAPluginDiedOfAndKeepsTheOthers) {
  const FakeWorker worker("DIES=SEGV\n" + answers);
  const PluginFolder folder;
  folder.add("plain");
  folder.add("chatty");
  Catalog catalog = scan(folder);
  catalog.describe(worker.program());
  EXPECT_EQ(fields_of(catalog), 1u);
  EXPECT_EQ(worker.calls(), 2u) << "one more for each plugin that ends it";
  EXPECT_EQ(catalog.find("captioner", "chatty"), nullptr);
  ASSERT_EQ(catalog.rejected().size(), 1u);
  EXPECT_THAT(to_string(catalog.rejected()[0].problem),
              AllOf(HasSubstr("chatty.espalier.so"), HasSubstr("signal 11 (Segmentation fault)"),
                    HasSubstr("espalier plugins check")));
}

TEST(Index, SaysThatTheWorkerItselfDoesNotStart) {
  const FakeWorker worker("echo 'libtorch.so: cannot open shared object file' >&2; exit 127\n");
  const PluginFolder folder;
  folder.add("plain");
  Catalog catalog = scan(folder);
  EXPECT_THAT(error_of([&] { catalog.describe(worker.program()); }),
              AllOf(HasSubstr("espalier-worker does not start"), HasSubstr("libtorch.so")));
}

TEST(Index, WorksWithTheRealWorker) {
  const PluginFolder folder;
  for (const char* name :
       {"plain", "chatty", "undocumented", "unresolved", "entry_throws", "no_entry",
        "more_than_manifest", "static_throws", "static_crashes", "static_exits", "static_aborts"}) {
    folder.add(name);
  }
  Catalog catalog = scan(folder);
  catalog.describe(worker_program());
  EXPECT_THAT(catalog.names("captioner"), testing::ElementsAre("chatty", "plain", "undocumented"));
  EXPECT_EQ(catalog.find("captioner", "undocumented")->schema.fields.size(), 2u);
  std::string reasons;
  for (const RejectedPlugin& plugin : catalog.rejected()) {
    reasons += to_string(plugin.problem) + "\n";
  }
  EXPECT_THAT(reasons, AllOf(HasSubstr("espalier_test_function_that_nobody_has"),
                             HasSubstr("no parameters today"), HasSubstr("espalier_plugin_entry"),
                             HasSubstr("captioner/stowaway version 1"), HasSubstr("Aborted"),
                             HasSubstr("Segmentation fault"), HasSubstr("exit code 0"),
                             HasSubstr("static_aborts: no licence")));

  Problems problems;
  const Json section{{"use", "static_exits"}};
  EXPECT_TRUE(catalog
                  .resolve(
                      "captioner", section, "captioner.",
                      [](std::string_view) { return "a.yaml:3"; }, problems)
                  .is_null());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(to_string(problems.list()[0]),
              AllOf(HasSubstr("loading it ended the process"), HasSubstr("a.yaml:3"),
                    HasSubstr("static_exits.espalier.so"), HasSubstr("exit code 0")));
}

}  // namespace
}  // namespace espalier
