// What a component says while it is made, for whoever shows it later.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace espalier::cli {

class SaidSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Warnings that something was left out, and errors of what should have been read.
  struct Said {
    std::vector<std::string> warnings;
    std::vector<std::string> errors;
  };
  // Since the last call.
  [[nodiscard]] Said take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(said_, {});
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (message.level < spdlog::level::warn) return;
    auto& list = message.level >= spdlog::level::err ? said_.errors : said_.warnings;
    list.emplace_back(message.payload.data(), message.payload.size());
  }
  void flush_() override {}

 private:
  Said said_;
};

}  // namespace espalier::cli
