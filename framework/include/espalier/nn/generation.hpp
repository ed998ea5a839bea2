// Words one after another: greedy and beam search by the rules of Hugging Face's generate().
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <span>
#include <vector>

namespace espalier {

// When a beam search ends before its maximum length, once as many beams as it has are finished:
// at once, when the best that still runs scores no better at its present length, or when it could
// not at any length.
enum class EarlyStopping { at_once, when_worse, never };

// Lengths count tokens. The repetition rules look at the prompt too.
struct GenerationRules {
  std::int64_t beams = 1;  // 1: greedy
  std::int64_t max_new_tokens = 30;
  std::int64_t min_length = 0;  // with the prompt, without the end
  std::int64_t min_new_tokens = 0;
  double length_penalty = 1.0;  // scores are divided by the length to this power
  double repetition_penalty = 1.0;
  std::int64_t no_repeat_ngram_size = 0;  // no n tokens twice; 0: whatever
  EarlyStopping early_stopping = EarlyStopping::when_worse;
  std::int64_t end = 0;  // the token
};

struct Generated {
  std::vector<std::int64_t> ids;  // without the prompt, with the end where it was said
  double score = 0.0;             // of a beam: its log-probability over its length
};

// Feeds one token a row to a decoder and gives what may follow, float32 [rows, vocabulary] on the
// CPU. Row i goes on from what row order[i] held before.
using DecoderStep = std::function<at::Tensor(std::span<const std::int64_t> tokens,
                                             std::span<const std::int64_t> order)>;

// One text for each of `count` inputs, all after the same prompt of one token or more. Rows of one
// input stand together. What an input gives does not depend on the others where a row of a step
// does not.
[[nodiscard]] std::vector<Generated> generate(std::int64_t count,
                                              std::span<const std::int64_t> prompt,
                                              const GenerationRules& rules,
                                              const DecoderStep& step);

}  // namespace espalier
