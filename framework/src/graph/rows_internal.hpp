// Loops over the edges of a graph, row by row, for kernels on the CPU.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <espalier/nn/parallel.hpp>

#include "vectors_internal.hpp"

namespace espalier {

// The edges of row i are begin[i] <= k < begin[i + 1]. The k-th joins the row with node[k] and
// stands at place(k) in the graph.
struct EdgeRows {
  std::int64_t rows = 0;
  std::int64_t edges = 0;
  const std::int64_t* begin = nullptr;
  const std::int64_t* node = nullptr;
  const std::int64_t* edge = nullptr;  // null: in the graph's own order

  [[nodiscard]] std::int64_t place(std::int64_t k) const { return edge == nullptr ? k : edge[k]; }
  // The first row of a piece, where all pieces have about as many edges and rows.
  [[nodiscard]] std::int64_t first_row(std::int64_t piece, std::int64_t pieces) const;
};

// Rows are the targets.
[[nodiscard]] inline EdgeRows by_target(const CsrGraph& graph) {
  return {.rows = graph.targets,
          .edges = graph.edges(),
          .begin = graph.rowptr.data_ptr<std::int64_t>(),
          .node = graph.col.data_ptr<std::int64_t>(),
          .edge = nullptr};
}

// Rows are the sources.
[[nodiscard]] inline EdgeRows by_source(const EdgeIndex& index) {
  return {.rows = index.t_rowptr.numel() - 1,
          .edges = index.t_row.numel(),
          .begin = index.t_rowptr.data_ptr<std::int64_t>(),
          .node = index.t_row.data_ptr<std::int64_t>(),
          .edge = index.t_edge.data_ptr<std::int64_t>()};
}

inline std::int64_t EdgeRows::first_row(std::int64_t piece, std::int64_t pieces) const {
  const std::int64_t wanted = (edges + rows) * piece / pieces;
  std::int64_t low = 0;
  std::int64_t high = rows;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (begin[middle] + middle < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Calls work(from, to) for ranges of rows that together are all of them, in several threads where
// there is enough to do. `width`: numbers that are handled for an edge. A row is never divided, so
// what a row sums up does not depend on the number of threads.
template <class Work>
void for_row_ranges(const EdgeRows& rows, std::int64_t width, const Work& work) {
  constexpr std::int64_t worth_a_thread = 1 << 15;
  const std::int64_t most = (rows.edges + rows.rows) * width / worth_a_thread + 1;
  const std::int64_t pieces = std::min<std::int64_t>(most, at::get_num_threads());
  parallel_for(0, pieces, 1, [&](std::int64_t first, std::int64_t last) {
    work(rows.first_row(first, pieces), rows.first_row(last, pieces));
  });
}

// The same, row by row.
template <class Work>
void for_rows(const EdgeRows& rows, std::int64_t width, const Work& work) {
  for_row_ranges(rows, width, [&](std::int64_t from, std::int64_t to) {
    run_on_widest([&] {
      for (std::int64_t i = from; i < to; ++i) work(i);
    });
  });
}

// Brings what stands at `place` of an array nearer to the processor, `count` numbers. Always
// inline: GCC takes a function that does nothing else for one that does nothing, and leaves out its
// calls.
template <class T>
[[gnu::always_inline]] inline void fetch(const T* array, std::int64_t place, std::int64_t count) {
  constexpr std::int64_t line = 64;
  const char* const first = reinterpret_cast<const char*>(array + place);
  const auto bytes = static_cast<std::int64_t>(sizeof(T)) * count;
  for (std::int64_t b = 0; b < bytes; b += line) __builtin_prefetch(first + b);
}

// The row of the edge that is a few edges further on than the k-th: rows lie anywhere in memory,
// and waiting for them is what sparse products do most of the time.
template <class T>
[[gnu::always_inline]] inline void fetch_ahead(const EdgeRows& rows, std::int64_t k, const T* x,
                                               std::int64_t width) {
  constexpr std::int64_t ahead = 16;
  if (k + ahead < rows.edges) fetch(x, rows.node[k + ahead] * width, width);
}
// What edges have in an array of the graph's order, `count` numbers each.
template <class T>
[[gnu::always_inline]] inline void fetch_place_ahead(const EdgeRows& rows, std::int64_t k,
                                                     const T* array, std::int64_t count) {
  constexpr std::int64_t ahead = 16;
  if (rows.edge == nullptr || array == nullptr || k + ahead >= rows.edges) return;
  fetch(array, rows.edge[k + ahead] * count, count);
}

// The inner product, in an order of its own that no instruction set changes.
template <class T>
T inner_product(const T* a, const T* b, std::int64_t n) {
  constexpr std::int64_t lanes = 8;
  typedef T Lanes [[gnu::vector_size(lanes * sizeof(T)), gnu::aligned(alignof(T)), gnu::may_alias]];
  Lanes sums = {};
  std::int64_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    sums += *reinterpret_cast<const Lanes*>(a + k) * *reinterpret_cast<const Lanes*>(b + k);
  }
  T sum = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
  for (; k < n; ++k) sum += a[k] * b[k];
  return sum;
}

}  // namespace espalier
