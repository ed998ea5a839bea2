#include <espalier/plugin/abi.hpp>
#include <espalier/plugin/manifest.hpp>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <espalier/core/random.hpp>

#include "plugin_folder.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::string read_error(const std::filesystem::path& file) {
  return error_of([&] { (void)read_manifest(file); });
}

TEST(Manifest, SaysWhatTheMacroWrote) {
  const Manifest manifest = read_manifest(fixture("plain"));
  ASSERT_EQ(manifest.components.size(), 1u);
  const ManifestComponent& component = manifest.components[0];
  EXPECT_EQ(component.kind, "captioner");
  EXPECT_EQ(component.name, "plain");
  EXPECT_EQ(component.version, 1);
  EXPECT_EQ(component.summary, "Says the same of every image");
  EXPECT_EQ(component.capabilities, std::vector<std::string>{"text"});
  EXPECT_EQ(manifest.abi.at("torch"), "none");
  EXPECT_FALSE(abi_problem(manifest.abi, host_abi(), "plain").has_value());
  EXPECT_EQ(read_manifest(fixture("gnn_misbehaves")).abi.at("torch"), host_abi().at("torch"));
}

TEST(Manifest, RefusesWhatIsNoPlugin) {
  const PluginFolder folder;
  EXPECT_THAT(read_error(folder.put("text",
                                    "not a library, but long enough to be the header of "
                                    "one, if only it began as one does")),
              HasSubstr("no shared library"));
  EXPECT_THAT(read_error(folder.put("empty", "")), HasSubstr("no shared library"));
  EXPECT_THAT(read_error(folder.path() / "absent"), HasSubstr("cannot be read"));
  EXPECT_THAT(read_error(folder.path()), HasSubstr("not a regular file"));
  EXPECT_THAT(read_error(std::filesystem::path(ESPALIER_BINARY_DIR) / "lib/libespalier_core.so"),
              HasSubstr("no such section"));
}

TEST(Manifest, RefusesAnotherProcessor) {
  const PluginFolder folder;
  std::string bytes = read_file(fixture("plain"));
  bytes[offsetof(Elf64_Ehdr, e_machine)] = EM_386;
  EXPECT_THAT(read_error(folder.put("other", bytes)), HasSubstr("another processor"));
}

TEST(Manifest, RefusesOtherFormats) {
  const PluginFolder folder;
  EXPECT_THAT(read_error(folder.add_changed("plain", "ESPALIER1{", "OTHERWISE{")),
              HasSubstr("another format"));
  EXPECT_THAT(read_error(folder.add_changed("plain", "\"manifest\":1", "\"manifest\":2")),
              AllOf(HasSubstr("another format"), HasSubstr("\"manifest\": 2")));
}

TEST(Manifest, RefusesFieldsThatAreNotWhatTheMacroWrites) {
  const auto parse = [](const std::string& abi, const std::string& component) {
    return error_of([&] {
      (void)parse_manifest(
          "ESPALIER1{\"manifest\":1,\"abi\":" + abi + ",\"components\":[" + component + "]}", "x");
    });
  };
  const std::string good =
      R"({"kind":"gnn","name":"a","version":1,"summary":"s","capabilities":"b a"})";
  EXPECT_THAT(parse("{}", good), IsEmpty());
  EXPECT_THAT(parse("[]", good), HasSubstr("\"abi\""));
  EXPECT_THAT(parse(R"({"torch":2})", good), HasSubstr("\"torch\""));
  EXPECT_THAT(parse("{}", ""), HasSubstr("\"components\""));
  EXPECT_THAT(parse("{}", "3"), HasSubstr("no object"));
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"\"gnn\"", "\"layer\""},  {"\"a\"", "\"../a\""},
      {"\"a\"", "\"\""},         {":1,", ":0,"},
      {":1,", ":1.5,"},          {"\"s\"", "3"},
      {"\"s\"", "\"\\u001b[\""}, {"\"b a\"", "[\"b\"]"},
  };
  for (const auto& [from, to] : changes) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_THAT(parse("{}", bad), HasSubstr("not valid")) << bad;
  }
}

TEST(Manifest, SurvivesEveryTruncation) {
  const PluginFolder folder;
  const std::string bytes = read_file(fixture("plain"));
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 16) {
    EXPECT_NE(read_error(folder.put("cut", bytes.substr(0, size))), "") << size;
  }
}

// Headers of sections lie at the end; random bytes anywhere in them or in the file's header may
// make another answer, and nothing worse.
TEST(Manifest, SurvivesFlippedBytes) {
  const PluginFolder folder;
  const std::string bytes = read_file(fixture("plain"));
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  Random random(std::uint64_t{7});
  for (int round = 0; round < 500; ++round) {
    std::string damaged = bytes;
    for (int flips = 0; flips < 3; ++flips) {
      const bool in_header = random.below(4) == 0;
      const std::size_t begin = in_header ? 0 : header.e_shoff;
      const std::size_t size = in_header ? sizeof header : bytes.size() - header.e_shoff;
      damaged[begin + random.below(size)] = static_cast<char>(random.below(256));
    }
    (void)read_error(folder.put("damaged", damaged));
  }
}

TEST(AbiProblem, NamesEveryFieldThatDiffersInOneMessage) {
  AbiStamp other = host_abi();
  other["torch"] = "0.4.0";
  other["cxx11_abi"] = "0";
  other.erase("stl");
  other["endianness"] = "big";
  const auto problem = abi_problem(other, host_abi(), "/x/lora.espalier.so");
  ASSERT_TRUE(problem.has_value());
  const std::string text = to_string(*problem);
  EXPECT_THAT(text, AllOf(HasSubstr("E-ABI"), HasSubstr("/x/lora.espalier.so"),
                          HasSubstr("CMAKE_PREFIX_PATH")));
  EXPECT_THAT(text, HasSubstr("cxx11_abi  plugin 0          this program 1"));
  EXPECT_THAT(text,
              HasSubstr("torch      plugin 0.4.0      this program " + host_abi().at("torch")));
  EXPECT_THAT(text, HasSubstr("stl        plugin unknown"));
  EXPECT_THAT(text, HasSubstr("endianness plugin big        this program unknown"));
  EXPECT_THAT(text, Not(HasSubstr("compiler")));
}

TEST(AbiProblem, TellsTheAuthorOfAnOlderPluginWhatChanged) {
  AbiStamp older = host_abi();
  older["framework"] = "1";
  const auto problem = abi_problem(older, host_abi(), "/x/peft-mine.espalier.so");
  ASSERT_TRUE(problem.has_value());
  EXPECT_THAT(problem->found, HasSubstr("framework  plugin 1 "));
  EXPECT_THAT(problem->fix,
              AllOf(HasSubstr("peft: attach()"), HasSubstr("hook_output()"),
                    HasSubstr("espalier plugins new"), HasSubstr("CMAKE_PREFIX_PATH")));

  AbiStamp newer = host_abi();
  newer["framework"] = std::to_string(ESPALIER_ABI_VERSION + 1);
  EXPECT_THAT(abi_problem(newer, host_abi(), "p")->fix, Not(HasSubstr("attach()")));
}

TEST(AbiProblem, ComparesEveryField) {
  for (const auto& [field, value] : host_abi()) {
    AbiStamp other = host_abi();
    other[field] = "x" + value;
    const auto problem = abi_problem(other, host_abi(), "p");
    ASSERT_TRUE(problem.has_value()) << field;
    EXPECT_THAT(problem->found, HasSubstr(field));
  }
}

}  // namespace
}  // namespace espalier
