// What an update begins with: what the network says of training samples, with its tape.
#pragma once

#include "train/cost.hpp"
#include "train/network.hpp"
#include "train/pass.hpp"
#include "train/scene.hpp"
#include <atomic>
#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <span>
#include <vector>

namespace espalier {

class Forward {
 public:
  // Samples at the places `fresh` of the scene, of which these are the looks, are computed anew, as
  // pass.hpp says. `nodes` are the row ids of its nodes, and `key` is what masks are drawn by. The
  // network and the sources must outlive it.
  Forward(const Network& network, const Sources& sources, StateBank& bank, Scene scene,
          std::span<const Look> looks, std::span<const std::int64_t> fresh,
          std::vector<std::uint64_t> nodes, std::uint64_t key);
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;

  // Whether anything was drawn. If not, and all samples are fresh, this is bit for bit what an
  // evaluation says (nn/mode.hpp).
  [[nodiscard]] bool drew() const noexcept { return drew_; }
  [[nodiscard]] const Network::Support& said() const noexcept { return said_; }
  // Of making it.
  [[nodiscard]] const Cost& cost() const noexcept { return cost_; }
  // Logits [asked, classes].
  [[nodiscard]] at::Tensor asked() const;
  // After the backward of a loss on asked(): sends it on to the parameters of the sources.
  void backward() { pass_.backward(); }

 private:
  CostMeter meter_;
  Cost cost_;
  std::atomic<bool> drew_ = false;
  Scene scene_;
  std::vector<std::uint64_t> nodes_;
  Mode mode_;
  Pass pass_;
  Network::Support said_;
};

}  // namespace espalier
