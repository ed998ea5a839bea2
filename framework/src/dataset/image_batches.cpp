#include <espalier/dataset/image_batches.hpp>

#include <iterator>
#include <utility>

namespace espalier {
namespace {

LoaderOptions options_of(std::int64_t batch, std::int64_t threads) {
  return {.batch = batch, .threads = threads, .ahead = 2};
}

}  // namespace

ImageBatches::ImageBatches(std::vector<std::size_t> samples, std::int64_t batch,
                           std::int64_t threads, Decode decode)
    : samples_(std::move(samples)),
      decode_(std::move(decode)),
      rows_(static_cast<std::size_t>(BatchLoader::rows(options_of(batch, threads)))),
      loader_(static_cast<std::int64_t>(samples_.size()), options_of(batch, threads),
              [this](std::int64_t index, std::int64_t row) {
                rows_[static_cast<std::size_t>(row)] =
                    decode_(samples_[static_cast<std::size_t>(index)]);
              }) {}

std::vector<Image> ImageBatches::next() {
  const std::optional<BatchLoader::Batch> batch = loader_.next();
  if (!batch) return {};
  const auto first = rows_.begin() + batch->row;
  return {std::make_move_iterator(first), std::make_move_iterator(first + batch->count)};
}

}  // namespace espalier
