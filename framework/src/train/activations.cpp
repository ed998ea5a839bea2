#include "train/activations.hpp"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

// Of each of the members that are defined.
template <class Change>
Activations each(const Activations& x, const Change& change) {
  const auto changed = [&](const at::Tensor& t) { return t.defined() ? change(t) : t; };
  return {changed(x.states), changed(x.valid), changed(x.pooled)};
}

Activations joined(const std::vector<Activations>& parts) {
  if (parts.size() == 1) return parts.front();
  const auto all = [&](at::Tensor Activations::*member) {
    std::vector<at::Tensor> list;
    for (const Activations& part : parts) list.push_back(part.*member);
    return list.front().defined() ? at::cat(list) : at::Tensor();
  };
  return {all(&Activations::states), all(&Activations::valid), all(&Activations::pooled)};
}

}  // namespace

Activations PixelSource::at(std::span<const Look> looks) const {
  std::vector<at::Tensor> pixels(looks.size());
  at::parallel_for(0, std::ssize(looks), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      pixels[static_cast<std::size_t>(i)] = pixels_(looks[static_cast<std::size_t>(i)]);
    }
  });
  return {at::stack(pixels), {}, {}};
}

IdSource::IdSource(const TextTower& tower,
                   std::map<std::size_t, std::vector<std::vector<std::int64_t>>> ids)
    : ids_(std::move(ids)),
      padding_(tower.padding_id()),
      masked_(tower.batching() == TextBatching::equal_length) {
  if (tower.batching() == TextBatching::full_length) length_ = tower.max_length();
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

Activations IdSource::at(std::span<const Look> looks) const {
  at::Tensor rows = at::full({std::ssize(looks), length_}, padding_, at::kLong);
  std::vector<std::int64_t> lengths;
  auto* row = rows.data_ptr<std::int64_t>();
  for (const Look& look : looks) {
    const std::vector<std::int64_t>& ids = ids_of(look);
    std::copy(ids.begin(), ids.end(), row);
    lengths.push_back(std::ssize(ids));
    row += length_;
  }
  if (!masked_) return {rows, {}, {}};
  const at::Tensor places = at::arange(length_, at::kLong).unsqueeze(0);
  return {rows, places < at::tensor(lengths, at::kLong).unsqueeze(1), {}};
}

Activations ComputedActivations::at(std::span<const Look> looks) const {
  const c10::AutoGradMode no_grad(false);
  const auto size = static_cast<std::size_t>(batch_);
  std::vector<std::vector<Look>> batches;
  std::vector<std::size_t> taken(size, 0);  // places of that number, by batch
  std::vector<std::int64_t> row_of;
  for (const Look& look : looks) {
    const std::size_t place = (look.sample + static_cast<std::size_t>(look.view)) % size;
    const std::size_t batch = taken[place]++;
    if (batch == batches.size()) batches.emplace_back(size, looks.back());
    batches[batch][place] = look;
    row_of.push_back(static_cast<std::int64_t>(batch * size + place));
  }
  std::vector<Activations> parts;
  for (const std::vector<Look>& batch : batches) parts.push_back(advanced(batch));
  const at::Tensor order = at::tensor(row_of, at::kLong).to(tower_.device());
  return each(joined(parts), [&](const at::Tensor& t) { return t.index_select(0, order); });
}

Activations ComputedActivations::advanced(std::span<const Look> batch) const {
  const Activations entering =
      each(below_->at(batch), [&](const at::Tensor& t) { return t.to(tower_.device()); });
  return tower_.advance(entering, from_, to_, {});
}

}  // namespace espalier
