// Scores outside training, with the parameters as they are.
#pragma once

#include "train/network.hpp"
#include "train/protocol.hpp"
#include "train/state_bank.hpp"
#include "train/values.hpp"
#include <espalier/plugin/peft.hpp>
#include <optional>
#include <span>
#include <vector>

namespace espalier {

// Good for one state of the parameters: what scenes share is computed once. The references must
// outlive it.
class Evaluation {
 public:
  // The bank gets the training scene's features, where those are trained.
  Evaluation(const Network& network, const Sources& sources, const Protocol& protocol,
             StateBank& bank)
      : network_(network), sources_(sources), training_(protocol.training()), bank_(bank) {}

  // Logits [training samples, classes].
  [[nodiscard]] at::Tensor training();
  // Logits [queries, classes] from the scenes that the protocol made for so many queries.
  [[nodiscard]] at::Tensor answers(std::span<const Scene> scenes, std::int64_t queries);
  // What the head is given of queries with these labels, and makes of it.
  [[nodiscard]] JudgedFeatures judged(std::span<const Scene> scenes,
                                      const std::vector<std::int64_t>& labels);

 private:
  const Network::Support& support();
  Scores scores(const Scene& scene);
  // That part of what is said of all queries.
  at::Tensor gathered(std::span<const Scene> scenes, std::int64_t queries,
                      at::Tensor Scores::*part);

  const Network& network_;
  const Sources& sources_;
  const Scene& training_;
  StateBank& bank_;
  std::optional<Network::Support> support_;
};

}  // namespace espalier
