#include <gtest/gtest.h>

#include <csignal>
#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>

namespace espalier {
namespace {

using std::chrono::seconds;

ProcessResult shell(const std::string& script, std::chrono::milliseconds limit = seconds(20)) {
  return run_process({"/bin/sh", "-c", script}, limit);
}

TEST(Process, KeepsBothStreamsAndTheExitCode) {
  const ProcessResult result = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(ending(result), "exit code 3");
  EXPECT_FALSE(result.ok());
  EXPECT_TRUE(shell("cat").ok()) << "standard input is empty, not the caller's";
}

TEST(Process, ReadsMoreThanAPipeHoldsOfBothStreams) {
  const ProcessResult result =
      shell("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2");
  EXPECT_EQ(result.out.size(), 300000u);
  EXPECT_EQ(result.err.size(), 600000u);
}

TEST(Process, NamesTheSignal) {
  const ProcessResult result = shell("kill -SEGV $$");
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_EQ(ending(result), "signal 11 (Segmentation fault)");
}

TEST(Process, EndsWhatDoesNotEnd) {
  EXPECT_TRUE(shell("exec sleep 60", std::chrono::milliseconds(100)).timed_out);
  // Streams closed, and still running.
  EXPECT_TRUE(
      shell("exec sleep 60 >/dev/null 2>/dev/null", std::chrono::milliseconds(100)).timed_out);
}

TEST(Process, SaysWhatCannotBeStarted) {
  EXPECT_THROW((void)run_process({"/nowhere/program"}, seconds(1)), Error);
}

}  // namespace
}  // namespace espalier
