#include "train/activations.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include "train/pixel_batches.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/parallel.hpp>

namespace espalier {
namespace {

constexpr std::int64_t looks_on_gpu = 64;

// Rows [first, first + size); behind the last one that one again.
Activations filled(const Activations& rows, std::int64_t first, std::int64_t size) {
  const std::int64_t last = rows.states.size(0) - 1;
  const at::Tensor places = at::arange(first, first + size, at::kLong).clamp_max(last);
  return each_of(rows, [&](const at::Tensor& t) { return t.index_select(0, places); });
}

}  // namespace

Activations joined(const std::vector<Activations>& parts) {
  if (parts.size() == 1) return parts.front();
  const auto all = [&](at::Tensor Activations::*member) {
    std::vector<at::Tensor> list;
    for (const Activations& part : parts) list.push_back(part.*member);
    return list.front().defined() ? at::cat(list) : at::Tensor();
  };
  return {all(&Activations::states), all(&Activations::valid), all(&Activations::pooled)};
}

Activations each_of(const Activations& rows,
                    const std::function<at::Tensor(const at::Tensor&)>& change) {
  const auto changed = [&](const at::Tensor& t) { return t.defined() ? change(t) : t; };
  return {changed(rows.states), changed(rows.valid), changed(rows.pooled)};
}

ActivationSource::Taken PixelSource::begin(std::vector<Look> looks) const {
  const std::int64_t count = std::ssize(looks);
  const auto batches =
      std::make_shared<PixelBatches>(std::move(looks), count, std::min(threads_, count), pixels_);
  return [batches] { return Activations{batches->next(), {}, {}}; };
}

IdSource::IdSource(const TextTower& tower,
                   std::map<std::size_t, std::vector<std::vector<std::int64_t>>> ids)
    : ids_(std::move(ids)), tower_(tower) {
  for (const auto& [sample, texts] : ids_) {
    for (const auto& text : texts) {
      if (text.empty()) {
        throw Error({.what = "a text has no tokens",
                     .where = "sample " + std::to_string(sample),
                     .expected = "one or more, special tokens included",
                     .found = "none",
                     .fix = {}});
      }
      length_ = std::max(length_, std::ssize(text));
    }
  }
}

const std::vector<std::int64_t>& IdSource::ids_of(const Look& look) const {
  const auto texts = ids_.find(look.sample);
  ESPALIER_ASSERT(texts != ids_.end() && look.view < std::ssize(texts->second),
                  "a text that there is");
  return texts->second[static_cast<std::size_t>(look.view)];
}

ActivationSource::Taken IdSource::begin(std::vector<Look> looks) const {
  return [this, looks = std::move(looks)] { return rows(looks); };
}

Activations IdSource::rows(std::span<const Look> looks) const {
  std::vector<std::vector<std::int64_t>> texts;
  for (const Look& look : looks) texts.push_back(ids_of(look));
  const TokenBatch batch = token_batch(tower_, texts, length_);
  return {batch.ids, batch.valid, {}};
}

ActivationSource::Taken ComputedActivations::begin(std::vector<Look> looks) const {
  return [this, entering = below_->begin(std::move(looks))] { return advanced(entering()); };
}

Activations ComputedActivations::advanced(const Activations& entering) const {
  const std::int64_t count = entering.states.size(0);
  const std::int64_t size = tower_.device().is_cpu() ? 1 : looks_on_gpu;
  const std::int64_t groups = (count + size - 1) / size;
  std::vector<Activations> parts(static_cast<std::size_t>(groups));
  const auto compute = [&](std::int64_t group) {
    const Activations some = each_of(filled(entering, group * size, size),
                                     [&](const at::Tensor& t) { return t.to(tower_.device()); });
    const std::int64_t own = std::min(size, count - group * size);
    return each_of(tower_.advance(some, from_, to_, {}),
                   [&](const at::Tensor& t) { return t.slice(0, 0, own); });
  };
  for_each_alone(groups, [&](std::int64_t g) { parts[static_cast<std::size_t>(g)] = compute(g); });
  return joined(parts);
}

}  // namespace espalier
