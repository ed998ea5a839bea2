// Random numbers that are the same on every machine.
//
// A trial has one seed and several named streams derived from it, so that drawing more numbers in one
// of them does not move the others.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace espalier {

// The seed of stream `name`: the first 8 bytes (little-endian) of SHA-256("espalier:<seed>:<name>").
// Names in use: split, init, head, order:EPOCH, dropout:EPOCH:STEP, graph, caption:SAMPLE, views.
[[nodiscard]] std::uint64_t stream_seed(std::int64_t seed, std::string_view name);

// xoshiro256** (Blackman and Vigna 2018), state filled by SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  Random(std::int64_t seed, std::string_view stream) : Random(stream_seed(seed, stream)) {}

  [[nodiscard]] std::uint64_t bits();
  // In [0, n), unbiased; n > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t n);
  // In [0, 1), 53 bits.
  [[nodiscard]] double uniform();
  [[nodiscard]] double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Standard normal, by Box and Muller; two uniforms a call.
  [[nodiscard]] double normal();

  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace espalier
