// A protocol whose training scene holds more samples than are learned from.
#pragma once

#include "train/protocol.hpp"
#include <cstddef>
#include <memory>

namespace espalier {

// `protocol` with the first `count` samples of its training scene asked, and no others: the rest
// stand by as neighbours.
[[nodiscard]] std::unique_ptr<Protocol> asked_first(std::unique_ptr<Protocol> protocol,
                                                    std::size_t count);

}  // namespace espalier
