#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/tower.hpp>
#include <numeric>

namespace espalier {
namespace {

using Ids = std::vector<std::int64_t>;

// Positions of `ids` that share a batch, and how long its rows are.
struct Slice {
  std::vector<std::size_t> members;
  std::int64_t length = 0;
};

std::vector<Slice> slices(std::span<const Ids> ids, const std::vector<std::int64_t>& lengths,
                          bool equal, std::int64_t tokens) {
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] < lengths[b]; });
  std::vector<Slice> list;
  for (const std::size_t member : order) {
    const std::int64_t length = lengths[member];
    const bool fits = !list.empty() && (!equal || list.back().length == length) &&
                      (static_cast<std::int64_t>(list.back().members.size()) + 1) * length <=
                          std::max(tokens, length);
    if (!fits) list.emplace_back();
    list.back().members.push_back(member);
    list.back().length = length;
  }
  return list;
}

at::Tensor rows_of(std::span<const Ids> ids, const Slice& slice, std::int64_t padding) {
  const auto count = static_cast<std::int64_t>(slice.members.size());
  at::Tensor rows = at::full({count, slice.length}, padding, at::kLong);
  auto* out = rows.data_ptr<std::int64_t>();
  for (const std::size_t member : slice.members) {
    const auto take = std::min<std::size_t>(ids[member].size(), slice.length);
    std::copy_n(ids[member].begin(), take, out);
    out += slice.length;
  }
  return rows;
}

// How many of its ids a text needs.
std::int64_t needed(const TextTower& tower, const Ids& ids) {
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

// As many as keep the widest activation below 24 MiB, which glibc's allocator hands out again
// instead of mapping fresh pages for it; on a GPU more is better.
std::int64_t pictures_at_once(const VisionTower& tower, std::int64_t area) {
  if (!tower.device().is_cpu()) return 64;
  const std::int64_t tokens = area / (tower.patch_size() * tower.patch_size()) + 1;
  const std::int64_t bytes = tokens * tower.transformer().config().intermediate * 4;
  return std::clamp<std::int64_t>((std::int64_t{24} << 20) / std::max<std::int64_t>(bytes, 1), 1,
                                  64);
}

// float32, from pixels or ids.
at::Tensor feature_of(const Tower& tower, const at::Tensor& input) {
  return tower.advance({input, {}, {}}, -1, tower.layers() + 2, {}).states.to(at::kFloat);
}

}  // namespace

at::Tensor text_features(const TextTower& tower, std::span<const Ids> ids, std::int64_t tokens) {
  std::vector<std::int64_t> lengths;
  for (const Ids& text : ids) {
    if (text.empty()) {
      throw Error({.what = "a text has no tokens",
                   .where = "token ids",
                   .expected = "one or more, special tokens included",
                   .found = "none",
                   .fix = {}});
    }
    lengths.push_back(needed(tower, text));
  }
  const bool equal = tower.batching() == TextBatching::equal_length;
  std::vector<at::Tensor> parts;
  std::vector<std::int64_t> rank(ids.size());
  std::int64_t next = 0;
  for (const Slice& slice : slices(ids, lengths, equal, tokens)) {
    for (const std::size_t member : slice.members) rank[member] = next++;
    const at::Tensor rows = rows_of(ids, slice, tower.padding_id()).to(tower.device());
    parts.push_back(feature_of(tower, rows));
  }
  if (parts.empty()) return at::empty({0, tower.feature_width()}, at::kFloat);
  const at::Tensor joined = at::cat(parts);
  const at::Tensor index = at::empty({static_cast<std::int64_t>(rank.size())}, at::kLong);
  std::copy(rank.begin(), rank.end(), index.data_ptr<std::int64_t>());
  return joined.index_select(0, index.to(joined.device()));
}

at::Tensor image_features(const VisionTower& tower, const at::Tensor& pixels) {
  const std::int64_t slice = pictures_at_once(tower, pixels.size(2) * pixels.size(3));
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < pixels.size(0); from += slice) {
    const at::Tensor some = pixels.narrow(0, from, std::min(slice, pixels.size(0) - from));
    parts.push_back(feature_of(tower, some));
  }
  return parts.empty() ? at::empty({0, tower.feature_width()}, at::kFloat) : at::cat(parts);
}

}  // namespace espalier
