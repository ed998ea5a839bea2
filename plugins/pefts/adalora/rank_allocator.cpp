#include "pefts/adalora/rank_allocator.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/kthvalue.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

at::Tensor score(const at::Tensor& worth, const at::Tensor& variation) { return worth * variation; }

}  // namespace

void RankAllocator::add(Triplets triplets) {
  const auto smoothed = [](const at::Tensor& tensor) {
    const at::Tensor zeros = at::zeros_like(tensor.detach());
    return Smoothed{.worth = zeros, .variation = zeros.clone()};
  };
  Map map{.triplets = std::move(triplets), .a = {}, .e = {}, .b = {}, .kept = {}};
  map.a = smoothed(map.triplets.a);
  map.e = smoothed(map.triplets.e);
  map.b = smoothed(map.triplets.b);
  map.kept = at::ones_like(map.triplets.e.detach());
  maps_.push_back(std::move(map));
}

void RankAllocator::updated(std::int64_t step, std::int64_t steps) {
  const c10::NoGradGuard no_grad;
  const std::int64_t total = schedule_.total_step > 0 ? schedule_.total_step : steps;
  const std::int64_t last = total - schedule_.tfinal;
  if (schedule_.tinit >= last) {
    throw Error({.what = "peft.tinit and peft.tfinal leave no step to take ranks in",
                 .where = {},
                 .expected = "fewer than " + std::to_string(total) + " steps together",
                 .found = std::to_string(schedule_.tinit + schedule_.tfinal),
                 .fix = {}});
  }
  if (step < last) {
    for (Map& map : maps_) {
      smooth(map.triplets.a, map.a);
      smooth(map.triplets.e, map.e);
      smooth(map.triplets.b, map.b);
    }
  }
  const bool due = step > schedule_.tinit && step % schedule_.delta_t == 0;
  if (step == last || (step < last && due)) allocate(budget(step, total));
  if (step == last || (step < last && due) || step > last) clear_taken();
}

void RankAllocator::smooth(const at::Tensor& parameter, Smoothed& into) const {
  if (!parameter.grad().defined()) return;
  const at::Tensor worth = (parameter.detach() * parameter.grad()).abs();
  into.worth.mul_(beta1_).add_(worth, 1 - beta1_);
  into.variation.mul_(beta2_).add_((worth - into.worth).abs(), 1 - beta2_);
}

// Falls by the third power of the share of steps that are left.
std::int64_t RankAllocator::budget(std::int64_t step, std::int64_t total) const {
  std::int64_t all = 0;
  for (const Map& map : maps_) all += map.triplets.e.size(0);
  const std::int64_t target = schedule_.target_r * std::ssize(maps_);
  const std::int64_t last = total - schedule_.tfinal;
  if (step <= schedule_.tinit) return all;
  if (step >= last) return target;
  const double left =
      1 - static_cast<double>(step - schedule_.tinit) / static_cast<double>(last - schedule_.tinit);
  return static_cast<std::int64_t>(static_cast<double>(all - target) * std::pow(left, 3) +
                                   static_cast<double>(target));
}

void RankAllocator::allocate(std::int64_t budget) {
  std::vector<at::Tensor> scores;
  for (const Map& map : maps_) {
    scores.push_back(score(map.e.worth, map.e.variation).flatten() +
                     score(map.a.worth, map.a.variation).mean(1) +
                     score(map.b.worth, map.b.variation).mean(0));
  }
  const at::Tensor all = at::cat(scores);
  const std::int64_t taken = all.numel() - budget;
  for (std::size_t i = 0; i < maps_.size(); ++i) maps_[i].kept.fill_(1);
  if (taken <= 0) return;
  const at::Tensor limit = std::get<0>(at::kthvalue(all.cpu(), taken));
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    maps_[i].kept.copy_((scores[i] > limit).unsqueeze(1));
  }
}

void RankAllocator::clear_taken() {
  for (Map& map : maps_) at::Tensor(map.triplets.e).mul_(map.kept);
}

std::vector<Parameters::Entry> RankAllocator::memory() const {
  std::vector<Parameters::Entry> all;
  const auto add = [&](const std::string& name, const Smoothed& smoothed) {
    all.emplace_back(name + ".worth", smoothed.worth);
    all.emplace_back(name + ".variation", smoothed.variation);
  };
  for (const Map& map : maps_) {
    add(map.triplets.site + ".lora_A", map.a);
    add(map.triplets.site + ".lora_E", map.e);
    add(map.triplets.site + ".lora_B", map.b);
    all.emplace_back(map.triplets.site + ".kept", map.kept);
  }
  return all;
}

}  // namespace espalier
