#include <unistd.h>

#include "run/protocol.hpp"
#include <csignal>
#include <espalier/core/error.hpp>
#include <optional>

#include "inbox_internal.hpp"

namespace espalier {

Inbox::Inbox(int descriptor) : reader_([this, descriptor] { read(descriptor); }) {}

Inbox::~Inbox() { reader_.join(); }

std::optional<TrialRequest> Inbox::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
  if (waiting_.empty()) return std::nullopt;
  TrialRequest request = std::move(waiting_.front());
  waiting_.pop_front();
  busy_ = true;
  return request;
}

void Inbox::done() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
}

void Inbox::read(int descriptor) {
  LineReader lines;
  while (lines.fill(descriptor)) {
    while (const auto line = lines.next()) take(*line);
  }
  end();
}

void Inbox::take(const std::string& line) {
  const Json message = Json::parse(line, nullptr, false);
  const std::string what = message.is_object() ? message.value("do", "") : "";
  if (what == "stop") stop_ = true;
  if (what != "trial") return;
  const std::lock_guard lock(mutex_);
  waiting_.push_back(request_from_json(message));
  changed_.notify_one();
}

void Inbox::end() {
  const std::lock_guard lock(mutex_);
  if (busy_ || !waiting_.empty()) ::kill(::getpid(), SIGKILL);
  ended_ = true;
  changed_.notify_one();
}

}  // namespace espalier
