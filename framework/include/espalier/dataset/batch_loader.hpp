// Fills batches ahead of whoever consumes them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace espalier {

struct LoaderOptions {
  std::int64_t batch = 32;
  std::int64_t threads = 1;
  std::int64_t ahead =
      3;  // batches that are filled or being filled at a time, the consumer's included
};

// The items 0 to count-1 in batches, in order. The caller owns `rows(options)` rows of storage of
// any kind; worker threads call `fill(index, row)`, each for an item of its own, at most one item a
// row at a time. What is in a row depends on its item alone, so results do not depend on the
// threads.
class BatchLoader {
 public:
  using Fill = std::function<void(std::int64_t index, std::int64_t row)>;

  // Item `first` is in row `row`, and so on.
  struct Batch {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t row = 0;
  };

  BatchLoader(std::int64_t count, const LoaderOptions& options, Fill fill);
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;
  // Waits for the items that are being filled.
  ~BatchLoader();

  [[nodiscard]] static std::int64_t rows(const LoaderOptions& options) {
    return options.batch * options.ahead;
  }

  // Blocks until the next batch is full; its rows stay as they are until the call after. Nothing at
  // the end. Rethrows what `fill` threw for the first item of the batch that failed.
  [[nodiscard]] std::optional<Batch> next();

 private:
  struct Failure {
    std::int64_t index = 0;
    std::exception_ptr error;
  };
  struct Slot {
    std::int64_t missing = 0;  // items not filled yet
    Failure failure;
  };

  void work();
  [[nodiscard]] std::int64_t size_of(std::int64_t batch) const;
  [[nodiscard]] Slot& slot(std::int64_t batch);

  std::int64_t count_;
  LoaderOptions options_;
  Fill fill_;
  std::mutex mutex_;
  std::condition_variable room_;    // an item may be begun, or all is over
  std::condition_variable filled_;  // a batch is full
  std::int64_t begun_ = 0;          // items
  std::int64_t taken_ = 0;          // batches handed out
  bool stop_ = false;
  std::vector<Slot> slots_;
  std::vector<std::thread> threads_;
};

}  // namespace espalier
