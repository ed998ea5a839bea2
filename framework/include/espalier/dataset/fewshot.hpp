// Which training and validation images a few-shot trial may use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier {

struct FewShot {
  std::vector<std::size_t> train;  // positions in `train_labels`, class by class
  std::vector<std::size_t> val;    // positions in `val_labels`, class by class
};

// CoOp's recipe (Zhou et al. 2022; Dassl's generate_fewshot_dataset), so that the lists equal the
// published ones: one CPython generator seeded with `seed`; classes in the order in which they
// first appear; `random.sample` of `shots` in every class of train, then of `val_shots` in every
// class of val (CoOp: min(shots, 4)). A class with fewer images than asked for keeps all of them,
// in their order, and draws nothing. 0 shots: everything, in order, and nothing is drawn.
[[nodiscard]] FewShot few_shot(std::span<const std::int64_t> train_labels,
                               std::span<const std::int64_t> val_labels, std::int64_t shots,
                               std::int64_t val_shots, std::int64_t seed);

}  // namespace espalier
