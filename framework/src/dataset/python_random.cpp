#include <algorithm>
#include <bit>
#include <espalier/core/error.hpp>
#include <espalier/dataset/python_random.hpp>
#include <numeric>
#include <unordered_set>

namespace espalier {
namespace {

// The seed's base-2^32 digits, least significant first, as CPython gives them to init_by_array.
std::vector<std::uint32_t> key_of(std::int64_t seed) {
  const auto bits = static_cast<std::uint64_t>(seed);
  const std::uint64_t magnitude = seed < 0 ? ~bits + 1 : bits;
  std::vector<std::uint32_t> key{static_cast<std::uint32_t>(magnitude)};
  if (magnitude >> 32 != 0) key.push_back(static_cast<std::uint32_t>(magnitude >> 32));
  return key;
}

// The size up to which sample() shuffles a pool instead of rejecting repeats: a set of k needs the
// memory of a list of 21, or of 21 + 4^ceil(log4(3k)) from k = 6 on.
std::uint64_t pool_limit(std::uint32_t k) {
  if (k <= 5) return 21;
  std::uint64_t power = 1;
  while (power < std::uint64_t{3} * k) power *= 4;
  return 21 + power;
}

}  // namespace

PythonRandom::PythonRandom(std::int64_t seed) {
  state_[0] = 19650218;
  for (std::uint32_t i = 1; i < length; ++i) {
    state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  }
  const std::vector<std::uint32_t> key = key_of(seed);
  std::size_t i = 1;
  const auto step = [&] {
    if (++i == length) {
      state_[0] = state_[length - 1];
      i = 1;
    }
  };
  for (std::size_t n = 0; n < length; ++n) {
    const auto j = static_cast<std::uint32_t>(n % key.size());
    const std::uint32_t mixed = (state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525U;
    state_[i] = (state_[i] ^ mixed) + key[j] + j;
    step();
  }
  for (std::size_t n = 1; n < length; ++n) {
    const std::uint32_t mixed = (state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941U;
    state_[i] = (state_[i] ^ mixed) - static_cast<std::uint32_t>(i);
    step();
  }
  state_[0] = 0x80000000U;
}

void PythonRandom::refill() {
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint32_t y = (state_[i] & 0x80000000U) | (state_[(i + 1) % length] & 0x7fffffffU);
    state_[i] = state_[(i + 397) % length] ^ (y >> 1) ^ ((y & 1U) != 0 ? 0x9908b0dfU : 0U);
  }
  next_ = 0;
}

std::uint32_t PythonRandom::bits32() {
  if (next_ == length) refill();
  std::uint32_t y = state_[next_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680U;
  y ^= (y << 15) & 0xefc60000U;
  return y ^ (y >> 18);
}

std::uint32_t PythonRandom::bits(int count) { return bits32() >> (32 - count); }

std::uint32_t PythonRandom::below(std::uint32_t n) {
  ESPALIER_ASSERT(n > 0, "an empty range");
  const int width = std::bit_width(n);
  std::uint32_t drawn = bits(width);
  while (drawn >= n) drawn = bits(width);
  return drawn;
}

std::vector<std::uint32_t> PythonRandom::sample(std::uint32_t n, std::uint32_t k) {
  ESPALIER_ASSERT(k <= n, "a sample larger than its population");
  std::vector<std::uint32_t> drawn(k);
  if (n <= pool_limit(k)) {
    std::vector<std::uint32_t> pool(n);
    std::iota(pool.begin(), pool.end(), 0U);
    for (std::uint32_t i = 0; i < k; ++i) {
      const std::uint32_t j = below(n - i);
      drawn[i] = pool[j];
      pool[j] = pool[n - i - 1];
    }
    return drawn;
  }
  std::unordered_set<std::uint32_t> seen;
  for (std::uint32_t& item : drawn) {
    item = below(n);
    while (!seen.insert(item).second) item = below(n);
  }
  return drawn;
}

}  // namespace espalier
