// A directed weighted graph, stored by destination.
//
// Edge e of row i, rowptr[i] <= e < rowptr[i + 1], brings the state of source col[e] to target i.
// Canonical: within a row col ascends strictly (no duplicates); square graphs have no self-loops,
// which are the layers' business. What builders make is canonical; kernels and layers take rows in
// any order, with duplicates, which count as often as they occur, and with self-loops.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/tensor/tensor.hpp>
#include <memory>
#include <vector>

namespace espalier {

// What follows from rowptr and col alone, for kernels that need it again and again.
struct EdgeIndex {
  at::Tensor row;  // int64 [edges], the target of each edge
  // The edges by source: those of source j are t_rowptr[j] <= k < t_rowptr[j + 1], each going to
  // target t_row[k] and standing at t_edge[k] in the graph. Targets ascend.
  at::Tensor t_rowptr;  // int64 [sources + 1]
  at::Tensor t_row;     // int64 [edges]
  at::Tensor t_edge;    // int64 [edges]
  // int64, the edges whose source is the target of the same number, ascending; undefined where
  // there are none.
  at::Tensor loops;
};

struct CsrGraph {
  std::int64_t targets = 0;  // rows
  std::int64_t sources = 0;  // columns; a square graph's are its own targets
  at::Tensor rowptr;         // int64 [targets + 1]
  at::Tensor col;            // int64 [edges]
  at::Tensor weight;         // float32 [edges]
  at::Tensor relation;       // int8 [edges], or undefined where there is one relation only
  at::Tensor attributes;     // floating [edges, width], or undefined: then weights are all there is
  // Weighted in-degree of the sources in their own graph, without self-loops, float32 [sources].
  // Defined in a rectangular graph: normalisation must not see who else is attached.
  at::Tensor source_degree;
  // int64 [sources], the class of each source that may be learnt from, -1 of any other; undefined
  // where nothing is said of that, and all nodes count as training nodes. The trial sets it, from
  // the training split alone; builders never see it.
  at::Tensor label;
  // What its builder has to say of it, such as {"tau": 0.7, "capped": 3}; goes into the results.
  Json facts = Json::object();
  // Set by prepare(); everything works without it, only slower.
  std::shared_ptr<const EdgeIndex> index;

  [[nodiscard]] std::int64_t edges() const { return col.defined() ? col.numel() : 0; }
  [[nodiscard]] bool square() const { return !source_degree.defined() && targets == sources; }
};

struct Edge {
  std::int64_t target = 0;
  std::int64_t source = 0;
  float weight = 1;
  std::int8_t relation = 0;
};

// No edges.
[[nodiscard]] CsrGraph empty_graph(std::int64_t targets, std::int64_t sources);
// Edges in any order; of duplicates the heaviest stays. Without `relations` they are left
// undefined.
[[nodiscard]] CsrGraph graph_from_edges(std::int64_t targets, std::int64_t sources,
                                        std::vector<Edge> edges, bool relations = false);
[[nodiscard]] std::vector<Edge> edges_of(const CsrGraph& graph);

// What layers with edge attributes of this width read, [edges, width]: the graph's attributes, or
// where it has none its weights. Throws Error where it has others.
[[nodiscard]] at::Tensor edge_attributes(const CsrGraph& graph, std::int64_t width);

// Weighted in-degree of every target, float32 [targets].
[[nodiscard]] at::Tensor in_degree(const CsrGraph& graph);
// Throws Error that names the first rule above that the graph breaks. Weights must be finite.
void check_canonical(const CsrGraph& graph);

// The graph's index, made anew where prepare() has not run.
[[nodiscard]] std::shared_ptr<const EdgeIndex> edge_index(const CsrGraph& graph);
void prepare(CsrGraph& graph);
// The same graph with all tensors on `device`, prepared.
[[nodiscard]] CsrGraph to_device(const CsrGraph& graph, at::Device device);

}  // namespace espalier
