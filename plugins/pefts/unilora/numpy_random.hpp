// Numbers as numpy.random.default_rng(seed) draws them: a seed sequence (O'Neill 2015) into PCG64
// (O'Neill 2014). Choices take Lemire's bounded integers (2019), shuffles draw until one fits.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier {

class NumpyRandom {
 public:
  explicit NumpyRandom(std::uint64_t seed);

  // Generator.shuffle() of one dimension.
  void shuffle(std::span<std::int64_t> values);
  // Generator.choice(population, size, replace=False).
  [[nodiscard]] std::vector<std::int64_t> choice(std::int64_t population, std::int64_t size);

 private:
  __extension__ using Wide = unsigned __int128;

  void advance();
  [[nodiscard]] std::uint64_t bits();
  [[nodiscard]] std::uint32_t half();
  // In [0, most]; most < 2^32 - 1.
  [[nodiscard]] std::int64_t up_to(std::int64_t most);
  [[nodiscard]] std::int64_t fitting(std::int64_t most);
  // The values from `first` on change places with any before them, from the end down.
  void choose_from(std::span<std::int64_t> values, std::int64_t first);
  [[nodiscard]] std::vector<std::int64_t> floyd(std::int64_t population, std::int64_t size);

  Wide state_ = 0;
  Wide increment_ = 0;
  bool half_left_ = false;
  std::uint32_t high_half_ = 0;
};

}  // namespace espalier
