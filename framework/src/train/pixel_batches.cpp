#include "train/pixel_batches.hpp"

#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <iterator>
#include <optional>
#include <utility>

namespace espalier {
namespace {

LoaderOptions loader_options(std::int64_t batch, std::int64_t threads) {
  return {.batch = batch, .threads = threads, .ahead = 2};
}

}  // namespace

PixelBatches::PixelBatches(std::vector<Look> looks, std::int64_t batch, std::int64_t threads,
                           Make make)
    : looks_(std::move(looks)),
      make_(std::move(make)),
      rows_(static_cast<std::size_t>(BatchLoader::rows(loader_options(batch, threads)))),
      loader_(static_cast<std::int64_t>(looks_.size()), loader_options(batch, threads),
              [this](std::int64_t index, std::int64_t row) {
                const c10::AutoGradMode without_gradients(false);
                rows_[static_cast<std::size_t>(row)] =
                    make_(looks_[static_cast<std::size_t>(index)]);
              }) {}

at::Tensor PixelBatches::next() {
  const std::optional<BatchLoader::Batch> batch = loader_.next();
  if (!batch) return {};
  const auto first = rows_.begin() + batch->row;
  const std::vector<at::Tensor> some(std::make_move_iterator(first),
                                     std::make_move_iterator(first + batch->count));
  return at::stack(some);
}

}  // namespace espalier
