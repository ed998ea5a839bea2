#include <espalier/caption/recorded_captions.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Image shade(int value) {
  return {.width = 1, .height = 1, .rgb = {static_cast<std::uint8_t>(value), 0, 0}};
}

class Recorded : public testing::Test {
 protected:
  Recorded() {
    for (const char* id : {"a/1.jpg", "b.jpg"}) {
      requests_.emplace_back();
      requests_.back().id = id;
      requests_.back().image = [] { return shade(7); };
    }
  }
  ~Recorded() override { std::filesystem::remove(file_); }

  RecordedCaptions reading(const std::string& text) {
    std::ofstream(file_) << text;
    return {file_, log_};
  }
  // Captions of pictures that are `value` all over.
  [[nodiscard]] std::vector<CaptionRecord> records(int value) const {
    std::vector<CaptionRecord> made;
    for (const CaptionRequest& request : requests_) {
      made.push_back({.id = std::string(request.id),
                      .image = picture_hash(shade(value)),
                      .caption = {"of " + std::string(request.id), "model"}});
    }
    return made;
  }
  static std::string set_of(std::vector<CaptionRecord> made) {
    return CaptionSet(Json::object(), std::move(made), "set").text();
  }
  template <class Call>
  static std::string error_of(Call call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  std::filesystem::path file_ = std::filesystem::path(testing::TempDir()) /
                                ("recorded_captions_" + std::to_string(::getpid()));
  std::vector<CaptionRequest> requests_;
  std::ostringstream said_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said_)};
};

TEST_F(Recorded, AreForTheirPicturesAlone) {
  const RecordedCaptions captions = reading(set_of(records(7)));
  captions.check(requests_);
  EXPECT_EQ(captions.caption(requests_[1]), "of b.jpg");

  const RecordedCaptions others = reading(set_of(records(8)));
  EXPECT_THAT(error_of([&] { others.check(requests_); }),
              AllOf(HasSubstr("other pictures"), HasSubstr("2 others: a/1.jpg, b.jpg")));
  EXPECT_THAT(error_of([&] { (void)others.caption(requests_[1]); }), HasSubstr("b.jpg"));
}

TEST_F(Recorded, MayBeOfPicturesThatAreNotKnown) {
  std::vector<CaptionRecord> made = records(8);
  for (CaptionRecord& record : made) record.image.clear();
  const RecordedCaptions captions = reading(set_of(made));
  captions.check(requests_);
  EXPECT_EQ(captions.caption(requests_[0]), "of a/1.jpg");
}

TEST_F(Recorded, ThatFailedAreNamedAndThoseTakenAwayAreEmpty) {
  std::vector<CaptionRecord> made = records(7);
  for (CaptionRecord& record : made) record.caption.text.clear();
  made[0].caption.answer = Answer::exhausted;
  made[1].caption.answer = Answer::dropped;
  const RecordedCaptions captions = reading(set_of(made));
  EXPECT_THAT(error_of([&] { captions.check(requests_); }),
              AllOf(HasSubstr("captions of 1 of 2 photos failed"), HasSubstr("a/1.jpg (exhausted)"),
                    Not(HasSubstr("b.jpg"))));
  EXPECT_THAT(error_of([&] { (void)captions.caption(requests_[0]); }), HasSubstr("a/1.jpg"));
  EXPECT_EQ(captions.caption(requests_[1]), "");
}

TEST_F(Recorded, NameWhatIsMissingAndWhatIsTooMany) {
  const RecordedCaptions captions = reading("path,caption\nb.jpg,x\nroses/c.jpg,y\n");
  EXPECT_THAT(error_of([&] { captions.check(requests_); }),
              AllOf(HasSubstr("1 of 2 photos have no caption"), HasSubstr("a caption for a/1.jpg"),
                    HasSubstr("captions for roses/c.jpg")));
  const RecordedCaptions more = reading("path,caption\na/1.jpg,x\nb.jpg,x\nroses/c.jpg,y\n");
  more.check(requests_);
  EXPECT_THAT(said_.str(), HasSubstr("roses/c.jpg"));
}

}  // namespace
}  // namespace espalier
