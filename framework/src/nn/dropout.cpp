#include <espalier/nn/dropout.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <espalier/nn/parallel.hpp>
#include <string>

namespace espalier {
namespace {

// Elements that are worth a thread.
constexpr std::int64_t dropout_grain = 1 << 14;

// FNV-1a (Fowler, Noll and Vo).
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

std::uint64_t chained(std::uint64_t seed, std::uint64_t value) {
  return Random(seed ^ value).bits();
}

std::uint64_t key_of_site(const Mode& mode, std::string_view site) {
  if (mode.dropout.drawn != nullptr) *mode.dropout.drawn = true;
  return chained(mode.dropout.key, hash_of(site));
}

void require_ids(const at::Tensor& x, const Mode& mode, std::string_view site) {
  if (x.dim() > 0 && x.size(0) == std::ssize(mode.dropout.rows)) return;
  throw Error(
      {.what = "dropout meets other rows than those of the pass",
       .where = std::string(site),
       .expected = "a row each for " + std::to_string(mode.dropout.rows.size()) + " samples",
       .found = x.dim() > 0 ? std::to_string(x.size(0)) + " rows" : "a single number",
       .fix = "drop before rows are joined, split or left out"});
}

// Float32, as large as x; `draw` is called for each element with the stream of its row.
template <class Draw>
at::Tensor drawn_by_row(const at::Tensor& x, const Mode& mode, std::string_view site,
                        const Draw& draw) {
  require_ids(x, mode, site);
  at::Tensor numbers = at::empty(x.sizes(), at::kFloat);
  auto* const values = numbers.data_ptr<float>();
  const std::int64_t width = x.size(0) == 0 ? 0 : x.numel() / x.size(0);
  const std::uint64_t key = key_of_site(mode, site);
  const std::int64_t rows_a_thread = dropout_grain / std::max<std::int64_t>(width, 1) + 1;
  parallel_for(0, x.size(0), rows_a_thread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      Random random(chained(key, mode.dropout.rows[static_cast<std::size_t>(row)]));
      float* const to = values + row * width;
      std::generate(to, to + width, [&] { return draw(random); });
    }
  });
  return numbers.to(x.options());
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, double p, const Mode& mode, std::string_view site) {
  if (!mode.training || p == 0) return x;
  const auto kept = static_cast<float>(1.0 / (1.0 - p));
  return x * drawn_by_row(x, mode, site,
                          [&](Random& random) { return random.uniform() < p ? 0.0F : kept; });
}

at::Tensor normal_noise(const at::Tensor& x, const Mode& mode, std::string_view site) {
  return drawn_by_row(x, mode, site,
                      [](Random& random) { return static_cast<float>(random.normal()); });
}

Random step_random(const Mode& mode, std::string_view site) {
  return Random(key_of_site(mode, site));
}

}  // namespace espalier
