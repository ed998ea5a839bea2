#include <espalier/plugin/loader.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/manifest.hpp>
#include <functional>
#include <thread>

#include "plugin_folder.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Context final : public RunContext {
 public:
  [[nodiscard]] std::int64_t seed() const override { return 1; }
  [[nodiscard]] std::string device() const override { return "cpu"; }
  [[nodiscard]] spdlog::logger& log() const override { return *spdlog::default_logger(); }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view,
                                                     const ComponentRef&) const override {
    return nullptr;
  }
};

std::string load_error(const std::filesystem::path& file) {
  return error_of([&] { (void)load_plugin(file); });
}

TEST(Loader, MakesAComponentThatOutlivesTheLoader) {
  const PluginFolder folder;
  folder.add("plain");
  std::shared_ptr<Captioner> captioner;
  {
    const Catalog catalog = Catalog::scan({.folders = {folder.path()}, .optional = {}});
    Loader loader(catalog);
    captioner = loader.make<Captioner>({{"use", "plain"}}, Context());
  }
  EXPECT_EQ(captioner->caption({}).text, "a picture");
}

TEST(Loader, SaysWhatIsMissing) {
  const Catalog catalog = Catalog::of({});
  Loader loader(catalog);
  EXPECT_THAT(error_of([&] { (void)loader.entry("gnn", "gat"); }), HasSubstr("\"gat\""));
}

TEST(Loader, IsSafeFromManyThreads) {
  const PluginFolder folder;
  folder.add("plain");
  const Catalog catalog = Catalog::scan({.folders = {folder.path()}, .optional = {}});
  Loader loader(catalog);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto captioner = loader.make<Captioner>({{"use", "plain"}}, Context());
      EXPECT_EQ(captioner->caption({}).source, "fixture");
    });
  }
}

TEST(LoadPlugin, ReportsEachFaultInItsOwnWords) {
  EXPECT_THAT(load_error(fixture("unresolved")),
              AllOf(HasSubstr("undefined symbol: espalier_test_function_that_nobody_has"),
                    Not(HasSubstr("Bad file descriptor"))));
  EXPECT_THAT(load_error(fixture("no_entry")), HasSubstr("no entry point"));
  EXPECT_THAT(load_error(fixture("entry_throws")), HasSubstr("no parameters today"));
  EXPECT_THAT(load_error(fixture("more_than_manifest")),
              AllOf(HasSubstr("something else than its manifest"),
                    HasSubstr("captioner/stowaway version 1")));
}

TEST(LoadPlugin, ComparesTheRegistrationWithTheManifest) {
  const PluginFolder folder;
  EXPECT_THAT(
      load_error(folder.add_changed("plain", "\"name\":\"plain\"", "\"name\":\"other\"")),
      AllOf(HasSubstr("captioner/other version 1"), HasSubstr("captioner/plain version 1")));
  EXPECT_THAT(load_error(folder.add_changed("plain", "\"version\":1", "\"version\":2", "v2")),
              HasSubstr("captioner/plain version 2"));
}

TEST(LoadPlugin, LooksAtTheStampBeforeItLoads) {
  const PluginFolder folder;
  const std::string from = "\"glibcxx\":\"";
  const auto file = folder.add_changed("static_crashes", from, "\"glibcxy\":\"");
  EXPECT_THAT(load_error(file), HasSubstr("E-ABI"));
}

// The last line of defence, for whoever loads a library without looking at its manifest.
TEST(LoadPlugin, CannotBindToAnotherAbi) {
  const PluginFolder folder;
  const std::string symbol = "espalier_abi_v" + std::to_string(ESPALIER_ABI_VERSION);
  const auto file = folder.add_changed("plain", symbol, "espalier_abi_w" + symbol.substr(14));
  EXPECT_THAT(load_error(file), HasSubstr("undefined symbol: espalier_abi_w"));
}

TEST(Guarded, NamesComponentAndOperationWhateverIsThrown) {
  const auto caught = [](const std::function<void()>& call) {
    return error_of([&] { guarded("gnn/gat", "step", call); });
  };
  EXPECT_EQ(caught([] {}), "");
  EXPECT_THAT(caught([] { throw std::runtime_error("no edges\nException raised from f at g:1"); }),
              AllOf(HasSubstr("gnn/gat failed in step"), HasSubstr("no edges"),
                    Not(HasSubstr("raised from"))));
  EXPECT_THAT(caught([] { throw 3; }), HasSubstr("gnn/gat failed in step"));
  const std::string text = caught([] {
    throw Error({.what = "one", .where = "w", .expected = "e", .found = "f", .fix = "x"});
  });
  EXPECT_THAT(text, AllOf(HasSubstr("gnn/gat: one"), HasSubstr("w"), HasSubstr("x")));
}

}  // namespace
}  // namespace espalier
