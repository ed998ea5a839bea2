// Logits outside training, with the parameters as they are.
#pragma once

#include "train/network.hpp"
#include "train/protocol.hpp"
#include "train/state_bank.hpp"
#include "train/values.hpp"
#include <optional>
#include <span>

namespace espalier {

// Good for one state of the parameters: what scenes share is computed once. The references must
// outlive it.
class Evaluation {
 public:
  // The bank gets the training scene's features, where those are trained.
  Evaluation(const Network& network, const Sources& sources, const Protocol& protocol,
             StateBank& bank)
      : network_(network), sources_(sources), training_(protocol.training()), bank_(bank) {}

  // [training samples, classes]
  [[nodiscard]] at::Tensor training();
  // [queries, classes] from the scenes that the protocol made for so many queries.
  [[nodiscard]] at::Tensor answers(std::span<const Scene> scenes, std::int64_t queries);

 private:
  const Network::Support& support();
  at::Tensor logits(const Scene& scene);

  const Network& network_;
  const Sources& sources_;
  const Scene& training_;
  StateBank& bank_;
  std::optional<Network::Support> support_;
};

}  // namespace espalier
