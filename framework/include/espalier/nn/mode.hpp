// How a forward pass is made.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

namespace espalier {

// Where dropout draws from. A row's mask follows from the key, the site that drops and the row's id
// alone, so it is the same however the rows of a pass are cut into chunks or ordered.
struct DropoutStream {
  std::uint64_t key = 0;                // stream_seed(seed, "dropout:EPOCH:STEP")
  std::span<const std::uint64_t> rows;  // whose the rows of the pass are, each once
  // Becomes true when something is drawn; null: nobody asks. Who makes a mode of a mode hands it
  // on.
  std::atomic<bool>* drawn = nullptr;
};

struct Mode {
  // Whether dropout acts. It changes what a pass computes by what is drawn, and by nothing else: a
  // pass that draws nothing is taken for the evaluation that it equals.
  bool training = false;
  DropoutStream dropout;  // of one row each for the rows of the pass, when training
  // Of a pass over texts that say what the classes are, the class of each row, in training or not;
  // at the logits site, that of each column of the scores, or empty for all classes in their order.
  // Empty in any other.
  std::span<const std::int64_t> classes = {};
  // Of a pass over pictures of a trial, the number of each row's sample, in training or not. Empty
  // where nobody says whose the pictures are.
  std::span<const std::int64_t> samples = {};
};

}  // namespace espalier
