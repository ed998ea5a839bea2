// Nodes that get messages from a graph and send none.
#pragma once

#include <espalier/graph/csr.hpp>

namespace espalier {

// The targets of `first`, and behind them those of `second`, over the same sources, whose degrees
// are those of `first`.
[[nodiscard]] CsrGraph stacked(const CsrGraph& first, const CsrGraph& second);

// The square graph with more nodes behind its own, which get the edges of `rows` [more, nodes]. No
// state of a node that was there changes by them, and none of them sees another.
[[nodiscard]] CsrGraph with_receivers(const CsrGraph& graph, const CsrGraph& rows);

}  // namespace espalier
