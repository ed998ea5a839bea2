#include "run/input_guard.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <espalier/core/error.hpp>

#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class InputGuardTest : public FolderTest {
 protected:
  InputGuardTest() {
    fs::create_directories(folder_ / "photos/cat");
    write(folder_ / "photos/cat/1.jpg", "one");
    write(folder_ / "photos/cat/2.jpg", "two");
    write(folder_ / "model.safetensors", "weights");
    inputs_ = {input("dataset.root", "photos"), input("encoder.weights", "model.safetensors")};
  }

  [[nodiscard]] TrialInput input(const std::string& name, const std::string& path) const {
    return {name, folder_ / path, ContentHasher().content(folder_ / path)};
  }

  std::string refusal() {
    try {
      guard_.check(inputs_);
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  }

  std::vector<TrialInput> inputs_;
  InputGuard guard_{fs::path()};
};

TEST_F(InputGuardTest, WhatNobodyTouchedIsFine) { EXPECT_EQ(refusal(), "none"); }

TEST_F(InputGuardTest, APhotoThatWasOverwrittenIsNamedByItsParameter) {
  write(folder_ / "photos/cat/1.jpg", "ONE");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("\"dataset.root\" changed while the sweep ran"),
                               HasSubstr((folder_ / "photos").string())));
}

TEST_F(InputGuardTest, TimesThatWereSetBackDoNotHideIt) {
  const auto time = fs::last_write_time(folder_ / "photos/cat/1.jpg");
  ::usleep(20'000);  // longer than the kernel's clock ticks
  write(folder_ / "photos/cat/1.jpg", "ONE");
  fs::last_write_time(folder_ / "photos/cat/1.jpg", time);
  EXPECT_THAT(refusal(), HasSubstr("dataset.root"));
}

TEST_F(InputGuardTest, WeightsThatWereSwappedAreNamed) {
  write(folder_ / "other", "WEIGHTS");
  fs::rename(folder_ / "other", folder_ / "model.safetensors");
  EXPECT_THAT(refusal(), HasSubstr("encoder.weights"));
}

TEST_F(InputGuardTest, FilesThatCameOrWentAreSeen) {
  write(folder_ / "photos/cat/3.jpg", "three");
  EXPECT_THAT(refusal(), HasSubstr("dataset.root"));
  fs::remove(folder_ / "photos/cat/3.jpg");
  EXPECT_EQ(refusal(), "none");
  fs::remove_all(folder_ / "photos");
  fs::remove(folder_ / "model.safetensors");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("dataset.root"), HasSubstr("encoder.weights")));
}

TEST_F(InputGuardTest, TheSameBytesWithOtherTimesAreFine) {
  ::usleep(20'000);
  write(folder_ / "photos/cat/1.jpg", "one");
  ::chmod((folder_ / "model.safetensors").c_str(), 0600);
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(refusal(), "none") << "by what was seen";
  ::usleep(20'000);
  write(folder_ / "photos/cat/1.jpg", "ONE");
  EXPECT_THAT(refusal(), HasSubstr("dataset.root"));
}

TEST_F(InputGuardTest, AtTheEndOfTrialsThatReadNothingItDoesNotLook) {
  guard_.check_at_end(inputs_);
  write(folder_ / "photos/cat/1.jpg", "ONE");
  EXPECT_NO_THROW(guard_.check_at_end(inputs_)) << "what was made of it is right";
  EXPECT_THAT(refusal(), HasSubstr("dataset.root")) << "before anything is stored";
  guard_.note_reading();
  EXPECT_THROW(guard_.check_at_end(inputs_), Error);
  EXPECT_THROW(guard_.check_at_end(inputs_), Error) << "it never passed";
}

// As where the encoder is trained: texts are stored, then pictures are read in every epoch.
TEST_F(InputGuardTest, WhatPassedInTheMiddleOfATrialIsLookedAtAgainAtItsEnd) {
  guard_.note_reading();
  guard_.check(inputs_);
  write(folder_ / "photos/cat/1.jpg", "ONE");
  EXPECT_THROW(guard_.check_at_end(inputs_), Error);
}

TEST_F(InputGuardTest, LooksAtInputsThatAreNew) {
  guard_.check_at_end(std::span(inputs_).subspan(0, 1));
  write(folder_ / "model.safetensors", "WEIGHTS");
  EXPECT_NO_THROW(guard_.check_at_end(std::span(inputs_).subspan(0, 1)));
  EXPECT_THROW(guard_.check_at_end(inputs_), Error);
}

}  // namespace
}  // namespace espalier
