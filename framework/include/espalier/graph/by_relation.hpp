// Edges of a target apart by their relation.
#pragma once

#include <cstdint>
#include <espalier/graph/csr.hpp>

namespace espalier {

// A rectangular graph in which row i * relations + r has the edges of target i in relation r, in
// their order. Throws Error where the graph has edges without relations, or others than 0 to
// relations - 1.
[[nodiscard]] CsrGraph by_relation(const CsrGraph& graph, std::int64_t relations);

}  // namespace espalier
