#include <fcntl.h>
#include <spdlog/formatter.h>

#include "trial_log_internal.hpp"

namespace espalier {

TrialLog::TrialLog(const std::filesystem::path& file)
    : file_(open_own_file(file, O_WRONLY | O_APPEND | O_CREAT)) {}

void TrialLog::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  (void)append_whole(file_.get(), {line.data(), line.size()});
}

}  // namespace espalier
