#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <unistd.h>

#include "train/pixel_batches.hpp"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <espalier/core/process.hpp>
#include <vector>

#include "encode_internal.hpp"

namespace espalier::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t batch = 64;

// One line on a terminal that renews itself.
void progress(std::size_t done, std::size_t all, Clock::time_point begin) {
  if (::isatty(STDERR_FILENO) == 0) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::fprintf(stderr, "\r%zu of %zu pictures, %.1f a second%s", done, all,
               static_cast<double>(done) / std::max(seconds, 1e-9), done == all ? "\n" : "");
}

}  // namespace

at::Tensor image_rows(const Encoder& encoder, const Dataset& dataset,
                      std::span<const std::size_t> samples) {
  const std::size_t count = samples.size();
  const auto begin = Clock::now();
  std::vector<at::Tensor> parts;
  PixelBatches batches(plain_looks(samples), batch, usable_cores(), [&](const Look& look) {
    return encoder.pixels(dataset.image(look.sample));
  });
  std::size_t done = 0;
  for (at::Tensor some = batches.next(); some.defined(); some = batches.next()) {
    parts.push_back(encoder.encode_pixels(some).cpu());
    done += static_cast<std::size_t>(some.size(0));
    progress(done, count, begin);
  }
  return parts.empty() ? at::empty({0, encoder.image_width()}) : at::cat(parts);
}

}  // namespace espalier::cli
