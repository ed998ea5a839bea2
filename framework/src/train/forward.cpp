#include "train/forward.hpp"

#include "train/index_of.hpp"

namespace espalier {

Forward::Forward(const Network& network, const Sources& sources, StateBank& bank, Scene scene,
                 std::span<const Look> looks, std::span<const std::int64_t> fresh,
                 std::vector<std::uint64_t> nodes, std::uint64_t key)
    : scene_(std::move(scene)),
      nodes_(std::move(nodes)),
      mode_{.training = true, .dropout = {.key = key, .rows = nodes_, .drawn = &drew_}},
      pass_(sources, bank, looks, fresh, mode_),
      said_(network.support(scene_.graph, pass_.values(), mode_)) {
  meter_.add_to(cost_, said_.scores.logits.device());
}

at::Tensor Forward::asked() const {
  const at::Tensor& logits = said_.scores.logits;
  return logits.index_select(0, index_of(scene_.asked, logits.device()));
}

}  // namespace espalier
