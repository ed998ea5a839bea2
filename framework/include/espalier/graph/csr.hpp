// A directed weighted graph, stored by destination.
//
// Edge e of row i, rowptr[i] <= e < rowptr[i + 1], brings the state of source col[e] to target i.
// Canonical: within a row col ascends strictly (no duplicates); square graphs have no self-loops,
// which are the layers' business.
#pragma once

#include <cstdint>
#include <espalier/plugin/tensor.hpp>

namespace espalier {

struct CsrGraph {
  std::int64_t targets = 0;  // rows
  std::int64_t sources = 0;  // columns; a square graph's are its own targets
  at::Tensor rowptr;         // int64 [targets + 1]
  at::Tensor col;            // int64 [edges]
  at::Tensor weight;         // float32 [edges]
  at::Tensor relation;       // int8 [edges], or undefined where there is one relation only
  // Weighted in-degree of the sources in their own graph, without self-loops, float32 [sources].
  // Defined in a rectangular graph: normalisation must not see who else is attached.
  at::Tensor source_degree;

  [[nodiscard]] std::int64_t edges() const { return col.defined() ? col.numel() : 0; }
  [[nodiscard]] bool square() const { return !source_degree.defined() && targets == sources; }
};

// No edges.
[[nodiscard]] CsrGraph empty_graph(std::int64_t targets, std::int64_t sources);
// Weighted in-degree of every target, float32 [targets].
[[nodiscard]] at::Tensor in_degree(const CsrGraph& graph);
// Throws Error that names the first rule above that the graph breaks.
void check_canonical(const CsrGraph& graph);

}  // namespace espalier
