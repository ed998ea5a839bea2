#include "train/values.hpp"

namespace espalier {
namespace {

at::Tensor rows_from(const FeatureSource* source, std::span<const Look> looks, const Mode& mode) {
  return source == nullptr ? at::Tensor() : source->rows(looks, mode);
}

}  // namespace

Values values_of(const Sources& sources, std::span<const Look> looks, const Mode& mode) {
  std::vector<Look> plain(looks.begin(), looks.end());
  for (Look& look : plain) look.view = 0;
  return {.images = rows_from(sources.images.get(), looks, mode),
          .texts = rows_from(sources.texts.get(), plain, mode),
          .classes = rows_from(sources.classes.get(), class_looks(sources), mode),
          .first_class = static_cast<std::int64_t>(sources.first_class)};
}

Values values_of(const Sources& sources, std::span<const std::size_t> samples, const Mode& mode) {
  return values_of(sources, plain_looks(samples), mode);
}

}  // namespace espalier
