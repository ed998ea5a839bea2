// captioner/openai before tools/vision_stub.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "captioners/openai/client.hpp"
#include "captioners/openai/jpeg.hpp"
#include <espalier/core/hash.hpp>
#include <memory>
#include <sstream>
#include <string>

#include "captioners/vision_stub.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier::openai {

using testing_support::error_of;
using testing_support::VisionStub;

inline constexpr const char* secret_key = "sk-very-secret-4711";

inline Image picture(int shade) {
  Image image{.width = 40, .height = 30, .rgb = {}};
  image.rgb.assign(3 * 40 * 30, static_cast<std::uint8_t>(shade));
  for (std::size_t i = 0; i < 300; ++i) image.rgb[i] = static_cast<std::uint8_t>(i);
  return image;
}

inline CaptionRequest request_for(int number) {
  CaptionRequest request;
  request.id = "some.jpg";
  request.image = [number] { return picture(number); };
  request.random = Random(std::uint64_t(number));
  return request;
}

inline bool never() { return false; }

// What the stub says of a picture that is sent as it is.
inline std::string caption_of(int number) {
  return "a picture with the hash " + hex(sha256(encode_jpeg(picture(number)))).substr(0, 16);
}

class OpenAiCaption : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!VisionStub::can_run()) return;
    ::setenv("ESPALIER_STUB_KEY", secret_key, 1);
    elsewhere_ = std::make_unique<VisionStub>();
    stub_ = std::make_unique<VisionStub>(elsewhere_->origin());
  }
  static void TearDownTestSuite() {
    stub_.reset();
    elsewhere_.reset();
  }
  void SetUp() override {
    if (!stub_) GTEST_SKIP() << "there is no python3 to run tools/vision_stub";
  }

  static Params params(const std::string& model) {
    Params made;
    made.base_url = stub_->url();
    made.model = model;
    made.key_env = "ESPALIER_STUB_KEY";
    return made;
  }
  static Patience quick() { return {.first_wait = 0.01, .failures_in_a_row = 100}; }

  Client client(Params made, Patience patience = quick()) {
    return {std::move(made), patience, log_};
  }
  AnsweredCaption ask(const std::string& model, int number = 1) {
    Client one = client(params(model));
    return one.ask(request_for(number), never);
  }
  std::string refusal_of(const std::string& model) {
    return error_of([&] { (void)ask(model); });
  }
  static Json log_of(const VisionStub& stub) {
    HttpClient http("", "");
    return parse_json(http.send({.url = stub.origin() + "/stub/log", .body = {}}).body, "log");
  }
  static Json last_body() { return log_of(*stub_).at("bodies").back(); }
  static int requests() { return log_of(*stub_).at("requests"); }

  static inline std::unique_ptr<VisionStub> stub_;
  static inline std::unique_ptr<VisionStub> elsewhere_;
  std::ostringstream said_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said_)};
};

}  // namespace espalier::openai
