#include "run/progress.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <memory>

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string shown(bool terminal, const std::function<void(SweepProgress&)>& play) {
  const std::unique_ptr<std::FILE, Closer> file(std::tmpfile());
  {
    SweepProgress progress({.out = file.get(),
                            .terminal = terminal,
                            .done = 2,
                            .total = 10,
                            .label = [](std::size_t i) { return "seed=" + std::to_string(i); }});
    play(progress);
  }
  std::rewind(file.get());
  std::string text(1 << 16, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

TEST(Progress, ShowsABarAndALineAWorkerOnATerminal) {
  const std::string text = shown(true, [](SweepProgress& progress) {
    progress.started(0, 3);
    progress.started(1, 4);
    progress.epoch(0, 7, "val", 0.5);
    progress.stage(1, "captions");
    progress.ended(0, 3, TrialOutcome::complete, {});
    progress.started(0, 5);
    progress.started(2, 6);
    progress.epoch(2, 7, "train", 0.5);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(150);
    while (std::chrono::steady_clock::now() < end) progress.tick();
    progress.ended(1, 4, TrialOutcome::failed, "bad\nvery bad");
  });
  EXPECT_THAT(text, HasSubstr("3 of 10 trials done"));
  EXPECT_THAT(text, HasSubstr(" left"));
  EXPECT_THAT(text, HasSubstr("seed=4: captions"));
  EXPECT_THAT(text, HasSubstr("seed=5: begins"));
  EXPECT_THAT(text, HasSubstr("seed=6: epoch 7, train_top1 0.500"));
  EXPECT_THAT(text, HasSubstr("failed: seed=4: bad\n"));
  EXPECT_THAT(text, HasSubstr("\x1b[2K"));
}

TEST(Progress, IsQuietInAPipe) {
  const std::string text = shown(false, [](SweepProgress& progress) {
    progress.started(0, 3);
    progress.epoch(0, 1, "val", 0.5);
    progress.ended(0, 3, TrialOutcome::failed, "bad");
    progress.tick();
  });
  EXPECT_EQ(text, "");
  EXPECT_THAT(shown(false, [](SweepProgress& progress) { progress.stopping(SIGTERM); }),
              HasSubstr("stopping"));
}

TEST(Progress, WritesTimesShort) {
  EXPECT_EQ(short_duration(0.2), "1 s");
  EXPECT_EQ(short_duration(59), "59 s");
  EXPECT_EQ(short_duration(61), "1 min 1 s");
  EXPECT_EQ(short_duration(3 * 3600 + 120), "3 h 2 min");
  EXPECT_EQ(short_duration(86400 * 2 + 3600), "2 d 1 h");
}

}  // namespace
}  // namespace espalier
