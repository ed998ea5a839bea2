#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/parallel.hpp>
#include <espalier/nn/tower.hpp>
#include <map>

namespace espalier {
namespace {

using Ids = std::vector<std::int64_t>;
using Members = std::vector<std::size_t>;

constexpr std::size_t inputs_on_gpu = 64;

// From pixels or ids.
at::Tensor feature_of(const Tower& tower, const at::Tensor& input) {
  return tower.advance({input, {}, {}}, -1, tower.layers() + 2, {}).states;
}

// Inputs of one length, in batches of one size.
template <class Forward>
void in_full_batches(const Members& all, const Forward& forward, at::Tensor& rows) {
  for (std::size_t from = 0; from < all.size(); from += inputs_on_gpu) {
    Members some(inputs_on_gpu, all[from]);
    const std::size_t count = std::min(inputs_on_gpu, all.size() - from);
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(from), count, some.begin());
    const at::Tensor features = forward(some);
    for (std::size_t i = 0; i < count; ++i) {
      rows[static_cast<std::int64_t>(some[i])].copy_(features[static_cast<std::int64_t>(i)]);
    }
  }
}

// forward(members) gives the features of inputs, which are of one length.
template <class Forward>
at::Tensor features(const Tower& tower, const std::vector<std::int64_t>& lengths,
                    const Forward& forward) {
  const c10::AutoGradMode without_gradients(false);
  const auto count = static_cast<std::int64_t>(lengths.size());
  at::Tensor rows = at::empty({count, tower.feature_width()},
                              at::TensorOptions(tower.device()).dtype(at::kFloat));
  if (tower.device().is_cpu()) {
    for_each_alone(
        count, [&](std::int64_t i) { rows[i].copy_(forward({static_cast<std::size_t>(i)})[0]); });
    return rows;
  }
  std::map<std::int64_t, Members> of_length;
  for (std::size_t i = 0; i < lengths.size(); ++i) of_length[lengths[i]].push_back(i);
  for (const auto& [length, members] : of_length) in_full_batches(members, forward, rows);
  return rows;
}

// [members, length]
at::Tensor batch_of(std::span<const Ids> ids, const Members& members, std::int64_t length,
                    std::int64_t padding) {
  at::Tensor rows =
      at::full({static_cast<std::int64_t>(members.size()), length}, padding, at::kLong);
  auto* out = rows.data_ptr<std::int64_t>();
  for (const std::size_t member : members) {
    const auto take = std::min<std::size_t>(ids[member].size(), static_cast<std::size_t>(length));
    std::copy_n(ids[member].begin(), take, out);
    out += length;
  }
  return rows;
}

// How long the batch of a text is.
std::int64_t length_of(const TextTower& tower, const Ids& ids) {
  if (ids.empty()) {
    throw Error({.what = "a text has no tokens",
                 .where = "token ids",
                 .expected = "one or more, special tokens included",
                 .found = "none",
                 .fix = {}});
  }
  switch (tower.batching()) {
    case TextBatching::causal_end:
      return tower.pooled_position(ids) + 1;
    case TextBatching::equal_length:
      return static_cast<std::int64_t>(ids.size());
    case TextBatching::full_length:
      return tower.max_length();
  }
  return tower.max_length();
}

}  // namespace

at::Tensor text_features(const TextTower& tower, std::span<const Ids> ids) {
  std::vector<std::int64_t> lengths;
  for (const Ids& text : ids) lengths.push_back(length_of(tower, text));
  return features(tower, lengths, [&](const Members& members) {
    const at::Tensor batch = batch_of(ids, members, lengths[members.front()], tower.padding_id());
    return feature_of(tower, batch.to(tower.device()));
  });
}

at::Tensor image_features(const VisionTower& tower, const at::Tensor& pixels) {
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(pixels.size(0)), 0);
  return features(tower, lengths, [&](const Members& members) {
    std::vector<at::Tensor> some;
    for (const std::size_t member : members)
      some.push_back(pixels[static_cast<std::int64_t>(member)]);
    return feature_of(tower, at::stack(some));
  });
}

}  // namespace espalier
