#include "plugin/build_id.hpp"

#include <gtest/gtest.h>

#include <espalier/core/hash.hpp>
#include <espalier/core/process.hpp>

#include "plugin/plugin_folder.hpp"

namespace espalier {
namespace {

// The head of the note that the linker writes: sizes of owner and id, type 3, owner.
const std::string note("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", 16);

TEST(BuildId, IsTheOneThatTheLinkerWrote) {
  const std::string bytes = read_file(fixture("chatty"));
  const std::size_t at = bytes.find(note);
  if (at == std::string::npos) GTEST_SKIP() << "this linker writes no build ids";
  constexpr std::string_view digits = "0123456789abcdef";
  std::string expected;
  for (const char c : bytes.substr(at + note.size(), 20)) {
    expected += {digits[static_cast<unsigned char>(c) >> 4], digits[c & 15]};
  }
  EXPECT_EQ(build_id(fixture("chatty")), expected);
  EXPECT_NE(build_id(fixture("chatty")), build_id(fixture("undocumented")));
  EXPECT_EQ(short_build(expected), expected.substr(0, 12));
}

TEST(BuildId, ACopyIsTheSameBuild) {
  const PluginFolder folder;
  EXPECT_EQ(build_id(folder.add("chatty")), build_id(fixture("chatty")));
}

TEST(BuildId, IsTheHashOfAFileThatHasNone) {
  const PluginFolder folder;
  std::string other = note;
  other[8] = 7;
  const auto file = folder.add_changed("chatty", note, other);
  EXPECT_EQ(build_id(file), hex(sha256_file(file)));
}

TEST(BuildId, DamageIsAnError) {
  const PluginFolder folder;
  EXPECT_THROW((void)build_id(folder.put("x.espalier.so", "no library")), Error);
  EXPECT_THROW((void)build_id(folder.path() / "absent"), Error);
}

}  // namespace
}  // namespace espalier
