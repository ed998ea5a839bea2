#include "run/freed_memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

namespace espalier {
namespace {

// Of this process, in mebibytes.
std::int64_t resident() {
  std::int64_t all = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> all >> pages;
  return pages * ::sysconf(_SC_PAGESIZE) / (1 << 20);
}

// Takes this many mebibytes, writes to each page, and frees them under what `held` keeps.
std::unique_ptr<char> fill_and_free(std::size_t mebibytes) {
  std::vector<char> block(mebibytes << 20, 'x');
  auto held = std::make_unique<char>(block.back());
  block = {};
  return held;
}

[[noreturn]] void keep_and_give_back() {
  keep_freed_memory();
  const std::int64_t before = resident();
  const std::unique_ptr<char> held = fill_and_free(200);
  const std::int64_t kept = resident() - before;
  give_back_freed_memory();
  const std::int64_t left = resident() - before;
  std::_Exit(kept >= 190 && left <= 70 && *held == 'x' ? 0 : 1);
}

[[noreturn]] void keep_little() {
  keep_freed_memory();
  const std::int64_t before = resident();
  const std::unique_ptr<char> held = fill_and_free(40);
  give_back_freed_memory();
  std::_Exit(resident() - before >= 38 && *held == 'x' ? 0 : 1);
}

// In a process of its own: what becomes of memory is a setting of the whole process.
TEST(FreedMemoryTest, StaysUntilItIsGivenBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has an allocator of its own";
#endif
  EXPECT_EXIT(keep_and_give_back(), testing::ExitedWithCode(0), "");
}

TEST(FreedMemoryTest, OfASmallTrialStays) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has an allocator of its own";
#endif
  EXPECT_EXIT(keep_little(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace espalier
