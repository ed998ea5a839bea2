// CPython's `random`, as far as published few-shot lists depend on it.
//
// MT19937 seeded by init_by_array (Matsumoto and Nishimura), CPython's getrandbits() and, from its
// Lib/random.py, _randbelow_with_getrandbits() and sample(). The same since Python 3.2 but for a
// sample() whose n is not an integer or whose population is a set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace espalier {

class PythonRandom {
 public:
  // random.seed(seed); like there, a negative seed is its absolute value.
  explicit PythonRandom(std::int64_t seed);

  [[nodiscard]] std::uint32_t bits32();
  // random.getrandbits(count), 1 <= count <= 32.
  [[nodiscard]] std::uint32_t bits(int count);
  // random.randrange(n), 1 <= n <= 2^32 - 1.
  [[nodiscard]] std::uint32_t below(std::uint32_t n);
  // random.sample(range(n), k), k <= n: distinct, in the order of drawing.
  [[nodiscard]] std::vector<std::uint32_t> sample(std::uint32_t n, std::uint32_t k);

 private:
  static constexpr std::size_t length = 624;
  void refill();

  std::array<std::uint32_t, length> state_{};
  std::size_t next_ = length;
};

}  // namespace espalier
