#include <espalier/dataset/batch_loader.hpp>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <utility>

namespace espalier {

BatchLoader::BatchLoader(std::int64_t count, const LoaderOptions& options, Fill fill)
    : count_(count), options_(options), fill_(std::move(fill)) {
  ESPALIER_ASSERT(options.batch > 0 && options.threads > 0 && options.ahead > 1,
                  "a loader needs a batch to fill beside the one in use");
  slots_.resize(static_cast<std::size_t>(options.ahead));
  for (std::int64_t b = 0; b < options.ahead; ++b) slot(b).missing = size_of(b);
  for (std::int64_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::int64_t BatchLoader::size_of(std::int64_t batch) const {
  return std::clamp<std::int64_t>(count_ - batch * options_.batch, 0, options_.batch);
}

BatchLoader::Slot& BatchLoader::slot(std::int64_t batch) {
  return slots_[static_cast<std::size_t>(batch % options_.ahead)];
}

// The batch in use and those behind it share the slots: batch b may be begun when b - ahead + 1 is
// the one in use.
void BatchLoader::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_room = [&] {
      return begun_ / options_.batch < std::max<std::int64_t>(taken_ - 1, 0) + options_.ahead;
    };
    room_.wait(lock, [&] { return stop_ || begun_ >= count_ || has_room(); });
    if (stop_ || begun_ >= count_) return;
    const std::int64_t index = begun_++;
    const std::int64_t batch = index / options_.batch;
    const std::int64_t row = batch % options_.ahead * options_.batch + index % options_.batch;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill_(index, row);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    Failure& failure = slot(batch).failure;
    if (error && (!failure.error || index < failure.index)) failure = {index, error};
    if (--slot(batch).missing == 0) filled_.notify_one();
  }
}

std::optional<BatchLoader::Batch> BatchLoader::next() {
  std::unique_lock lock(mutex_);
  if (taken_ > 0) slot(taken_ - 1) = {size_of(taken_ - 1 + options_.ahead), {}};
  const std::int64_t batch = taken_;
  if (size_of(batch) == 0) return std::nullopt;
  ++taken_;
  room_.notify_all();
  filled_.wait(lock, [&] { return slot(batch).missing == 0; });
  if (slot(batch).failure.error) std::rethrow_exception(slot(batch).failure.error);
  return Batch{batch * options_.batch, size_of(batch), batch % options_.ahead * options_.batch};
}

}  // namespace espalier
