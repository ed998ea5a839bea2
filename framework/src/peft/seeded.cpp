#include <espalier/peft/seeded.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randperm.h>

#include <cmath>

namespace espalier {

at::Generator seeded_generator(std::int64_t seed) {
  return at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
}

at::Tensor seeded_places(std::int64_t rows, std::int64_t width, std::int64_t count,
                         std::int64_t seed) {
  return at::randperm(rows * width, seeded_generator(seed), at::kLong).slice(0, 0, count).clone();
}

at::Tensor seeded_kaiming(at::IntArrayRef sizes, at::Generator& generator) {
  const double bound = std::sqrt(6.0 / static_cast<double>(sizes.back()));
  return at::empty(sizes, at::kFloat).uniform_(-bound, bound, generator);
}

}  // namespace espalier
