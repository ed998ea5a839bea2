// DropEdge (Rong et al. 2020): a graph of which some edges are left out while training.
#pragma once

#include <espalier/graph/csr.hpp>
#include <espalier/nn/mode.hpp>
#include <string_view>

namespace espalier {

// In training a square graph without the share `p` of its edges, else the graph as it is. Whether
// an edge stays follows from the key of the pass, the site and the ids of its two ends alone.
// Throws Error unless the mode has an id a node.
[[nodiscard]] CsrGraph drop_edges(const CsrGraph& graph, double p, const Mode& mode,
                                  std::string_view site);

}  // namespace espalier
