#include "caption/caption_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "caption/caption_journal.hpp"
#include <atomic>
#include <csignal>
#include <espalier/caption/caption_file.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <fstream>
#include <mutex>
#include <set>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// `c`, `b`, `a`, ...: pictures of one pixel.
class Shades final : public Dataset {
 public:
  explicit Shades(int count, int offset = 0) : offset_(offset) {
    for (int i = count; i-- > 0;) samples_.push_back({.id = std::string(1, char('a' + i))});
  }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return classes_; }
  [[nodiscard]] const std::vector<Sample>& samples() const override { return samples_; }
  [[nodiscard]] Image image(std::size_t index) const override {
    const auto shade = static_cast<std::uint8_t>(index + std::size_t(offset_));
    return {.width = 1, .height = 1, .rgb = {shade, 0, 0}};
  }

 private:
  int offset_;
  std::vector<std::string> classes_ = {"x"};
  std::vector<Sample> samples_;
};

// Says what it was told to of a picture, and remembers who was asked for.
class Told final : public AskingCaptioner {
 public:
  [[nodiscard]] Caption caption(const CaptionRequest&) const override { return {}; }
  [[nodiscard]] AnsweredCaption ask(const CaptionRequest& request,
                                    const std::function<bool()>&) const override {
    {
      const std::scoped_lock lock(mutex_);
      asked_.emplace(request.id);
    }
    if (request.id == throws_)
      throw Error(
          {.what = "the server is gone", .where = {}, .expected = {}, .found = {}, .fix = {}});
    AnsweredCaption caption{"a picture called " + std::string(request.id), "told"};
    if (refused_.contains(std::string(request.id))) {
      caption.text = "";
      caption.answer = Answer::refused;
    }
    if (request.id == broken_) caption.text = "\xff";
    return caption;
  }
  [[nodiscard]] std::int64_t concurrency() const override { return width_; }
  std::multiset<std::string> take_asked() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(asked_, {});
  }

  std::set<std::string> refused_;
  std::string throws_, broken_;
  std::int64_t width_ = 1;

 private:
  mutable std::mutex mutex_;
  mutable std::multiset<std::string> asked_;
};

// Says how red a picture is, of several at once, and remembers of how many.
class Reddish final : public Captioner {
 public:
  [[nodiscard]] Caption caption(const CaptionRequest& request) const override {
    return {"red " + std::to_string(request.image().rgb.front()), "reddish"};
  }
  [[nodiscard]] std::vector<Caption> captions(
      std::span<const CaptionRequest> requests) const override {
    together_.push_back(requests.size());
    std::vector<Caption> all = Captioner::captions(requests);
    all.resize(all.size() - missing_);
    return all;
  }

  mutable std::vector<std::size_t> together_;
  std::size_t missing_ = 0;
};

class CaptionWriter : public testing::Test {
 protected:
  ~CaptionWriter() override { std::filesystem::remove_all(folder_); }

  std::optional<CaptionSet> write(const CaptionHooks& hooks = {}) {
    return write_caption_set({.dataset = &dataset_,
                              .captioner = &captioner_,
                              .captioner_name = "captioner/told",
                              .about = {{"captioner", asked_}},
                              .file = file_},
                             hooks);
  }
  std::string refusal() {
    try {
      (void)write();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("caption_writer_" + std::to_string(::getpid()));
  bool made_ = std::filesystem::create_directories(folder_);
  std::filesystem::path file_ = folder_ / "captions.jsonl", part_ = folder_ / "captions.jsonl.part";
  Shades dataset_{5};
  Told captioner_;
  Json asked_ = {{"use", "told"}, {"params", {{"model", "m"}}}};
};

TEST_F(CaptionWriter, WritesOneSortedSetWithItsProvenance) {
  const CaptionSet set = *write();
  EXPECT_EQ(set.digest(), read_captions(file_).digest());
  EXPECT_EQ(set.about().at("captioner"), asked_);
  ASSERT_EQ(set.records().size(), 5);
  EXPECT_EQ(set.records()[0].id, "a");
  EXPECT_EQ(set.records()[0].image, picture_hash(dataset_.image(4)));
  EXPECT_EQ(set.records()[0].caption.text, "a picture called a");
  EXPECT_FALSE(std::filesystem::exists(part_));
  EXPECT_EQ(captioner_.take_asked().size(), 5);
  EXPECT_EQ(write()->digest(), set.digest());  // which asks nobody
  EXPECT_THAT(captioner_.take_asked(), IsEmpty());
}

TEST_F(CaptionWriter, HasSeveralComputedAtOnceAndAlwaysTheSame) {
  const Shades dataset(20);
  const Reddish captioner;
  const auto write_to = [&](const std::string& name) {
    return *write_caption_set({.dataset = &dataset,
                               .captioner = &captioner,
                               .captioner_name = "captioner/reddish",
                               .file = folder_ / name},
                              {});
  };
  const CaptionSet set = write_to("one.jsonl");
  EXPECT_THAT(captioner.together_, ElementsAre(8, 8, 4));
  EXPECT_EQ(set.find("t")->caption.text, "red 0");
  EXPECT_EQ(set.find("a")->caption.text, "red 19");
  EXPECT_EQ(set.digest(), write_to("two.jsonl").digest());
}

TEST_F(CaptionWriter, TakesNoShortAnswer) {
  Reddish captioner;
  captioner.missing_ = 1;
  const CaptionJob job{.dataset = &dataset_,
                       .captioner = &captioner,
                       .captioner_name = "captioner/reddish",
                       .file = file_};
  try {
    (void)write_caption_set(job, {});
    FAIL() << "the last picture has another's caption or none";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("captioner/reddish"), HasSubstr("4")));
  }
}

TEST_F(CaptionWriter, AsksAgainForThoseWithoutATextAlone) {
  captioner_.refused_ = {"b", "d"};
  const CaptionSet first = *write();
  EXPECT_EQ(first.find("b")->caption.answer, Answer::refused);
  captioner_.refused_ = {"d"};
  (void)captioner_.take_asked();
  const CaptionSet second = *write();
  EXPECT_THAT(captioner_.take_asked(), UnorderedElementsAre("b", "d"));
  EXPECT_EQ(second.find("b")->caption.text, "a picture called b");
  EXPECT_EQ(second.find("d")->caption.answer, Answer::refused);
}

TEST_F(CaptionWriter, GoesOnWhereItWasStopped) {
  std::atomic<int> done = 0;
  const auto stopped =
      write({.stopped = [&] { return done == 2; },
             .progress = [&](const CaptionProgress& now) { done = int(now.asked); }});
  EXPECT_FALSE(stopped.has_value());
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_THAT(captioner_.take_asked(), ElementsAre("d", "e"));
  EXPECT_EQ(write()->records().size(), 5);
  EXPECT_THAT(captioner_.take_asked(), ElementsAre("a", "b", "c"));
}

TEST_F(CaptionWriter, KeepsWhatWasAnsweredBeforeAnError) {
  captioner_.throws_ = "c";
  EXPECT_THAT(refusal(), HasSubstr("the server is gone"));
  EXPECT_THAT(captioner_.take_asked(), ElementsAre("c", "d", "e"));
  captioner_.throws_ = "";
  (void)write();
  EXPECT_THAT(captioner_.take_asked(), ElementsAre("a", "b", "c"));
}

TEST_F(CaptionWriter, LosesNothingWhereItIsKilled) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      (void)write({.progress = [](const CaptionProgress& now) {
        if (now.asked == 3) ::kill(::getpid(), SIGKILL);
      }});
    } catch (...) {
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  (void)write();
  EXPECT_THAT(captioner_.take_asked(), ElementsAre("a", "b"));
}

TEST_F(CaptionWriter, LosesNothingWhereTheDiskIsFull) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit small{.rlim_cur = 700, .rlim_max = 700};
    ::setrlimit(RLIMIT_FSIZE, &small);
    ::signal(SIGXFSZ, SIG_IGN);
    const std::string text = refusal();
    const bool said = text.find("a caption cannot be stored") != std::string::npos;
    ::_exit(said ? 7 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  const JournalText kept = read_journal(read_file(part_), "part");
  EXPECT_GE(kept.records.size(), 1);
  EXPECT_EQ(write()->records().size(), 5);
  EXPECT_EQ(captioner_.take_asked().size(), 5 - kept.records.size());
}

TEST_F(CaptionWriter, PassesOverATornLine) {
  std::atomic<int> done = 0;
  (void)write({.stopped = [&] { return done == 2; },
               .progress = [&](const CaptionProgress& now) { done = int(now.asked); }});
  (void)captioner_.take_asked();
  std::ofstream(part_, std::ios::app)
      << "\0\0\0\n{\"id\": \"c\", \"answer\": \"ok\", \"text\": \"x";
  EXPECT_EQ(write()->find("c")->caption.text, "a picture called c");
  EXPECT_THAT(captioner_.take_asked(), ElementsAre("a", "b", "c"));
}

TEST_F(CaptionWriter, MixesNoTwoQuestions) {
  (void)write();
  asked_["params"]["model"] = "n";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("asked for in another way"),
                               HasSubstr("captioner.params.model: \"m\", now \"n\"")));
  std::filesystem::rename(file_, part_);
  EXPECT_THAT(refusal(), HasSubstr("asked for in another way"));
}

TEST_F(CaptionWriter, MixesNoPicturesOfOneName) {
  captioner_.refused_ = {"a"};
  (void)write();
  dataset_ = Shades(5, 100);
  EXPECT_THAT(refusal(), HasSubstr("other pictures under the same ids"));
}

TEST_F(CaptionWriter, IsAloneWithItsFile) {
  const CaptionJournal held(part_, {{"captioner", asked_}});
  EXPECT_THAT(refusal(), HasSubstr("another process is writing"));
}

TEST_F(CaptionWriter, TakesNoTextThatIsNone) {
  captioner_.broken_ = "b";
  const CaptionSet set = *write();
  EXPECT_EQ(set.find("b")->caption.answer, Answer::malformed);
  EXPECT_EQ(set.find("b")->caption.note, "a caption is no UTF-8");
}

TEST_F(CaptionWriter, WaitsForAllWhereAPartWillNotDo) {
  captioner_.refused_ = {"b"};
  const CaptionJob job{.dataset = &dataset_,
                       .captioner = &captioner_,
                       .captioner_name = "captioner/told",
                       .partial = false,
                       .about = {{"captioner", asked_}},
                       .file = file_};
  EXPECT_EQ(write_caption_set(job, {})->find("b")->caption.answer, Answer::refused);
  EXPECT_FALSE(std::filesystem::exists(file_));
  captioner_.refused_.clear();
  (void)captioner_.take_asked();
  (void)write_caption_set(job, {});
  EXPECT_THAT(captioner_.take_asked(), ElementsAre("b"));
  EXPECT_TRUE(std::filesystem::exists(file_));
}

TEST_F(CaptionWriter, AsksSeveralAtOnceAndEachOnce) {
  dataset_ = Shades(26);
  captioner_.width_ = 8;
  std::size_t last = 0;
  const CaptionSet set = *write({.progress = [&](const CaptionProgress& now) {
    EXPECT_EQ(now.asked, ++last);
    EXPECT_EQ(now.all, 26);
  }});
  const auto asked = captioner_.take_asked();
  EXPECT_EQ(std::set(asked.begin(), asked.end()).size(), 26);
  EXPECT_EQ(asked.size(), 26);
  for (const CaptionRecord& record : set.records()) {
    EXPECT_EQ(record.caption.text, "a picture called " + record.id);
  }
}

}  // namespace
}  // namespace espalier
