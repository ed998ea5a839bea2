#include "pefts/unilora/numpy_random.hpp"

#include <algorithm>
#include <bit>
#include <espalier/core/error.hpp>
#include <limits>
#include <numeric>
#include <unordered_set>
#include <utility>

namespace espalier {
namespace {

using Pool = std::array<std::uint32_t, 4>;

std::uint32_t folded(std::uint32_t value) { return value ^ (value >> 16); }

// Spreads every bit of the seed over the pool.
Pool mixed_pool(std::uint64_t seed) {
  std::uint32_t constant = 0x43b0d7e5u;
  const auto hashed = [&constant](std::uint32_t value) {
    value ^= constant;
    constant *= 0x931e8875u;
    return folded(value * constant);
  };
  Pool pool{};
  const Pool entropy = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), 0,
                        0};
  for (std::size_t i = 0; i < pool.size(); ++i) pool[i] = hashed(entropy[i]);
  for (std::size_t from = 0; from < pool.size(); ++from) {
    for (std::size_t into = 0; into < pool.size(); ++into) {
      if (from == into) continue;
      pool[into] = folded(0xca01f9ddu * pool[into] - 0x4973f715u * hashed(pool[from]));
    }
  }
  return pool;
}

std::array<std::uint64_t, 4> seed_words(std::uint64_t seed) {
  const Pool pool = mixed_pool(seed);
  std::uint32_t constant = 0x8b51f9ddu;
  std::array<std::uint64_t, 4> words{};
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint32_t value = pool[i % pool.size()] ^ constant;
    constant *= 0x58f38dedu;
    words[i / 2] |= static_cast<std::uint64_t>(folded(value * constant)) << (32 * (i % 2));
  }
  return words;
}

}  // namespace

NumpyRandom::NumpyRandom(std::uint64_t seed) {
  const auto words = seed_words(seed);
  const auto joined = [](std::uint64_t high, std::uint64_t low) {
    return (static_cast<Wide>(high) << 64) | low;
  };
  increment_ = (joined(words[2], words[3]) << 1) | 1u;
  advance();
  state_ += joined(words[0], words[1]);
  advance();
}

void NumpyRandom::advance() {
  constexpr Wide multiplier = (static_cast<Wide>(0x2360ed051fc65da4u) << 64) | 0x4385df649fccf645u;
  state_ = state_ * multiplier + increment_;
}

std::uint64_t NumpyRandom::bits() {
  advance();
  const auto high = static_cast<std::uint64_t>(state_ >> 64);
  const auto low = static_cast<std::uint64_t>(state_);
  return std::rotr(high ^ low, static_cast<int>(high >> 58));
}

std::uint32_t NumpyRandom::half() {
  if (std::exchange(half_left_, !half_left_)) return high_half_;
  const std::uint64_t both = bits();
  high_half_ = static_cast<std::uint32_t>(both >> 32);
  return static_cast<std::uint32_t>(both);
}

std::int64_t NumpyRandom::up_to(std::int64_t most) {
  if (most == 0) return 0;
  ESPALIER_ASSERT(most < std::numeric_limits<std::uint32_t>::max(), "fewer than 2^32 places");
  const auto count = static_cast<std::uint64_t>(most) + 1;
  std::uint64_t product = half() * count;
  if (static_cast<std::uint32_t>(product) < count) {
    const std::uint64_t threshold = ((std::uint64_t{1} << 32) - count) % count;
    while (static_cast<std::uint32_t>(product) < threshold) product = half() * count;
  }
  return static_cast<std::int64_t>(product >> 32);
}

std::int64_t NumpyRandom::fitting(std::int64_t most) {
  const std::uint64_t mask = std::bit_ceil(static_cast<std::uint64_t>(most) + 1) - 1;
  for (;;) {
    const auto value = static_cast<std::int64_t>(half() & mask);
    if (value <= most) return value;
  }
}

void NumpyRandom::choose_from(std::span<std::int64_t> values, std::int64_t first) {
  for (std::int64_t i = std::ssize(values) - 1; i >= first; --i) {
    std::swap(values[static_cast<std::size_t>(i)], values[static_cast<std::size_t>(up_to(i))]);
  }
}

void NumpyRandom::shuffle(std::span<std::int64_t> values) {
  for (std::int64_t i = std::ssize(values) - 1; i >= 1; --i) {
    std::swap(values[static_cast<std::size_t>(i)], values[static_cast<std::size_t>(fitting(i))]);
  }
}

std::vector<std::int64_t> NumpyRandom::choice(std::int64_t population, std::int64_t size) {
  constexpr std::int64_t large = 10000;
  constexpr std::int64_t share = 50;
  if (population <= large || size <= population / share) return floyd(population, size);
  std::vector<std::int64_t> all(static_cast<std::size_t>(population));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  choose_from(all, std::max<std::int64_t>(population - size, 1));
  return {all.end() - size, all.end()};
}

// Floyd's sampling (Bentley and Floyd 1987), shuffled.
std::vector<std::int64_t> NumpyRandom::floyd(std::int64_t population, std::int64_t size) {
  std::unordered_set<std::int64_t> taken;
  std::vector<std::int64_t> chosen;
  for (std::int64_t j = population - size; j < population; ++j) {
    const std::int64_t value = up_to(j);
    chosen.push_back(taken.insert(value).second ? value : j);
    taken.insert(chosen.back());
  }
  choose_from(chosen, 1);
  return chosen;
}

}  // namespace espalier
