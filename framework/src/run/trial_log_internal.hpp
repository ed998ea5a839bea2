// log.txt of a trial.
#pragma once

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <espalier/core/file.hpp>
#include <filesystem>

namespace espalier {

// A sink of one thread. spdlog's own would follow a link, and wait where a pipe has the name.
class TrialLog final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // Appends. Throws StorageError when it cannot be opened; a line that cannot be written later is
  // lost without a word, for the journal will say so.
  explicit TrialLog(const std::filesystem::path& file);

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

  Descriptor file_;
};

}  // namespace espalier
