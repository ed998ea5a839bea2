#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

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

TEST(Process, NamesWhoKilled) {
  EXPECT_THAT(ending(shell("kill -KILL $$")),
              testing::MatchesRegex("signal 9 \\(Killed\\): .*another process.*"));
  ProcessEnd end{.signal = SIGKILL, .peak_bytes = 2'000'000'000, .oom_kills = 1};
  EXPECT_EQ(ending(end),
            "signal 9 (Killed): the kernel killed it for lack of memory; it had 2.0 GB");
}

TEST(Process, NamesTheLimitOfProcessorTime) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_CPU, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = 3600;
  ASSERT_EQ(::setrlimit(RLIMIT_CPU, &lower), 0);
  const ProcessEnd used{.signal = SIGXCPU, .cpu_seconds = 3600.01};
  EXPECT_THAT(ending(used), testing::HasSubstr("3600 s of processor time (ulimit -t)"));
  const ProcessEnd unused{.signal = SIGKILL, .cpu_seconds = 12};
  EXPECT_THAT(ending(unused), testing::Not(testing::HasSubstr("ulimit")));
  ::setrlimit(RLIMIT_CPU, &before);
}

TEST(Process, StartsWithSignalsAsAtLogin) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(shell("kill -PIPE $$").signal, SIGPIPE);
  std::signal(SIGPIPE, before);
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
