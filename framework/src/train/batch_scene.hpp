// Who stands in a pass of some training samples.
#pragma once

#include "train/protocol.hpp"
#include "train/scene.hpp"
#include <cstddef>
#include <cstdint>
#include <span>

namespace espalier {

// The training scene, asked for the samples at these places of `train`, which are its first ones.
// Without edges the other samples cannot matter and are left out. `views` nodes a sample.
[[nodiscard]] Scene batch_scene(const Protocol& protocol, std::span<const std::size_t> train,
                                std::int64_t views, std::span<const std::int64_t> batch);

}  // namespace espalier
