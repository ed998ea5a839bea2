#include "train/pass.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <numeric>

namespace espalier {
namespace {

std::vector<std::int64_t> all_places(std::size_t count) {
  std::vector<std::int64_t> places(count);
  std::iota(places.begin(), places.end(), std::int64_t{0});
  return places;
}

std::vector<std::size_t> samples_of(std::span<const Look> looks) {
  std::vector<std::size_t> samples;
  for (const Look& look : looks) samples.push_back(look.sample);
  return samples;
}

// The samples at the places `fresh`, then the others, and where each place went.
struct Division {
  std::vector<Look> fresh;
  std::vector<Look> stale;
  at::Tensor back;  // int64 [samples], index into both, one behind the other
};

Division divide(std::span<const Look> samples, std::span<const std::int64_t> fresh) {
  Division division;
  std::vector<std::int64_t> to(samples.size(), -1);
  for (const std::int64_t place : fresh) {
    std::int64_t& target = to.at(static_cast<std::size_t>(place));
    ESPALIER_ASSERT(target < 0, "each place is fresh once");
    target = std::ssize(division.fresh);
    division.fresh.push_back(samples[static_cast<std::size_t>(place)]);
  }
  for (std::size_t place = 0; place < samples.size(); ++place) {
    if (to[place] >= 0) continue;
    to[place] = std::ssize(division.fresh) + std::ssize(division.stale);
    division.stale.push_back(samples[place]);
  }
  division.back = at::empty({std::ssize(to)}, at::kLong);
  std::copy(to.begin(), to.end(), division.back.data_ptr<std::int64_t>());
  return division;
}

at::Tensor without_tape(const FeatureSource& source, std::span<const Look> looks,
                        const Mode& mode) {
  const c10::AutoGradMode no_grad(false);
  return source.rows(looks, mode);
}

// What the bank lacks is computed and put into it: of pictures as they are, as an evaluation leaves
// it there, so that a training that goes on has what it had.
at::Tensor stale_rows(const FeatureSource& source, RowBank& bank, std::span<const Look> looks) {
  const std::vector<std::size_t> samples = samples_of(looks);
  std::vector<std::size_t> missing;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(missing),
               [&](std::size_t sample) { return !bank.has(sample); });
  if (!missing.empty()) bank.put(missing, without_tape(source, plain_looks(missing), {}));
  return bank.rows(samples);
}

}  // namespace

Pass::Pass(const Sources& sources, StateBank& bank, std::span<const Look> samples,
           std::span<const std::int64_t> fresh, const Mode& mode, ReplayedRows::Compare compare)
    : mode_{.training = mode.training,
            .dropout = {.key = mode.dropout.key, .rows = {}, .drawn = mode.dropout.drawn}},
      compare_(compare) {
  values_.images = mixed(sources.images.get(), bank.images, samples, fresh);
  values_.texts = mixed(sources.texts.get(), bank.texts, plain_looks(samples_of(samples)), fresh);
  values_.classes = compute(sources.classes.get(), class_looks(sources));
  values_.first_class = static_cast<std::int64_t>(sources.first_class);
}

Pass::Pass(const Sources& sources, StateBank& bank, std::span<const Look> samples, const Mode& mode,
           ReplayedRows::Compare compare)
    : Pass(sources, bank, samples, all_places(samples.size()), mode, compare) {}

at::Tensor Pass::compute(const FeatureSource* source, std::vector<Look> looks) {
  if (source == nullptr) return {};
  if (!source->trained()) return without_tape(*source, looks, mode_);
  const std::int64_t count = std::ssize(looks);
  const auto rows = [source, looks = std::move(looks), mode = mode_](std::int64_t begin,
                                                                     std::int64_t end) {
    const auto from = static_cast<std::size_t>(begin);
    return source->rows(std::span(looks).subspan(from, static_cast<std::size_t>(end) - from), mode);
  };
  return replayed_.emplace_back(count, source->chunk(), rows, compare_).values();
}

at::Tensor Pass::mixed(const FeatureSource* source, RowBank& bank, std::span<const Look> samples,
                       std::span<const std::int64_t> fresh) {
  if (source == nullptr || !source->trained()) {
    return compute(source, {samples.begin(), samples.end()});
  }
  const Division division = divide(samples, fresh);
  const at::Tensor now = compute(source, division.fresh);
  bank.put(samples_of(division.fresh), now);
  at::Tensor rows = now;
  if (!division.stale.empty()) rows = at::cat({now, stale_rows(*source, bank, division.stale)});
  return rows.index_select(0, division.back.to(rows.device()));
}

void Pass::backward() {
  for (ReplayedRows& rows : replayed_) rows.replay();
}

}  // namespace espalier
