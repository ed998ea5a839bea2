// Contrastive pretraining (Radford et al. 2021, figure 3).
#pragma once

#include <cstdint>
#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/text/tokenizer.hpp>
#include <functional>

#include "examples.hpp"

namespace espalier::flora_clip {

struct PretrainOptions {
  std::int64_t seed = 1;
  std::int64_t steps = 2200;
  std::int64_t batch = 128;
  double lr = 1.5e-3;
  double weight_decay = 0.02;
  double warmup = 0.05;  // share of the steps
  double clip_norm = 1.0;
};

// Makes every weight of the model trainable; the parameters carry the checkpoint's names.
void make_trainable(AdaptableEncoder& model, Parameters& parameters);

// `report` is called after every step with the number of steps done and the loss.
void pretrain(const AdaptableEncoder& model, const Tokenizer& tokenizer, const Examples& examples,
              const PretrainOptions& options, Parameters& parameters,
              const std::function<void(std::int64_t step, double loss)>& report);

}  // namespace espalier::flora_clip
