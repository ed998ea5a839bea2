// Training labels on the graphs of a protocol, for networks that look at them.
#pragma once

#include "train/protocol.hpp"
#include "train/split.hpp"
#include <cstdint>
#include <memory>

namespace espalier {

// `protocol` with CsrGraph::label in every graph: the classes of the training samples' nodes,
// `views` of them a sample, and -1 for every other node, whatever its label. No other labels come
// near it.
[[nodiscard]] std::unique_ptr<Protocol> with_labels(std::unique_ptr<Protocol> protocol,
                                                    const LabelledSamples& train,
                                                    std::int64_t views);

}  // namespace espalier
