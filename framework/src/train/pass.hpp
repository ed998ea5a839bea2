// One pass over a scene: its values as the parameters make them now, and the way back to these.
//
//   Pass pass(sources, bank, scene.samples, fresh, dropout);
//   loss_of(network.scores(scene.graph, pass.values(), mode).logits).backward();
//   pass.backward();
//
// Of sources that are trained the tape of one chunk at a time is held (nn/replay.hpp), so the
// memory of a pass grows with its samples by their rows alone.
#pragma once

#include "train/feature_source.hpp"
#include "train/state_bank.hpp"
#include "train/values.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/nn/mode.hpp>
#include <espalier/nn/replay.hpp>
#include <memory>
#include <span>
#include <vector>

namespace espalier {

class Pass {
 public:
  // Samples at the places `fresh` are computed anew, in this mode, and given to the bank. The
  // others are as the bank has them, or computed without gradient outside training where it has
  // none. What is not trained is always exact, classes are always fresh. Views are of
  // pictures: texts are looked at plainly. The mode's row ids are not
  // looked at: sources drop by samples. The sources must outlive the pass.
  Pass(const Sources& sources, StateBank& bank, std::span<const Look> samples,
       std::span<const std::int64_t> fresh, const Mode& mode,
       ReplayedRows::Compare compare = compare_in_debug_builds);
  // All of them fresh.
  Pass(const Sources& sources, StateBank& bank, std::span<const Look> samples, const Mode& mode,
       ReplayedRows::Compare compare = compare_in_debug_builds);

  [[nodiscard]] const Values& values() const noexcept { return values_; }
  // After the backward of a loss on the values: sends it on to the parameters of the sources.
  void backward();

#ifdef NDEBUG
  static constexpr auto compare_in_debug_builds = ReplayedRows::Compare::no;
#else
  static constexpr auto compare_in_debug_builds = ReplayedRows::Compare::yes;
#endif

 private:
  at::Tensor compute(const FeatureSource* source, std::vector<Look> looks);
  at::Tensor mixed(const FeatureSource* source, RowBank& bank, std::span<const Look> samples,
                   std::span<const std::int64_t> fresh);

  Mode mode_;
  ReplayedRows::Compare compare_;
  std::vector<ReplayedRows> replayed_;
  Values values_;
};

}  // namespace espalier
