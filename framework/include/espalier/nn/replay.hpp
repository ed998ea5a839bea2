// Gradients of many rows in the memory of a few (gradient caching, Gao et al. 2021).
//
// What a few parameters make of many samples, such as an adapted encoder, is computed without a
// tape; a loss on all of it sends its gradient back to the values; then each chunk is computed
// again with its tape and sends its share of the gradient on. The gradients are those of one large
// tape.
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <functional>

namespace espalier {

class ReplayedRows {
 public:
  // Rows [begin, end) as the parameters make them now, [end - begin, width]. Called for each chunk
  // at once, and for each again in replay(); both times it must give the same numbers.
  using Compute = std::function<at::Tensor(std::int64_t begin, std::int64_t end)>;

  // Whether replay() looks at the numbers that come again.
  enum class Compare { no, yes };

  // `chunk` is the number of rows whose tape is held, at least 1. Where it is no smaller than
  // `rows`, the tape is kept from the start and nothing is computed twice. Where gradients are off,
  // values are all there is.
  ReplayedRows(std::int64_t rows, std::int64_t chunk, Compute compute, Compare compare);

  // [rows, width]
  [[nodiscard]] const at::Tensor& values() const noexcept { return values_; }
  // After the backward of a loss on values(): adds to the gradients of the parameters. Nothing to
  // do where the tape was kept. Throws Error where numbers that are compared differ.
  void replay();

 private:
  void replay_chunk(std::int64_t begin, std::int64_t end, const at::Tensor& gradient) const;

  std::int64_t chunk_;
  Compute compute_;
  Compare compare_;
  at::Tensor values_;
  bool replays_ = false;
};

// The same inside of a tape, for a hook that runs a model for each of its rows. Rows [n, ...] that
// follow from those of `input`, row by row: compute(begin, some) makes them of the rows `some` of
// the input, of which the first is row `begin`, and gives the same numbers when it is called again.
// The backward pass computes each chunk again with its tape, and adds to the gradients of the
// parameters as backward() does. `input` [n, ...] has a row or more.
using RowMap = std::function<at::Tensor(std::int64_t begin, const at::Tensor& some)>;
[[nodiscard]] at::Tensor replayed_map(const at::Tensor& input, std::int64_t chunk, RowMap compute);

}  // namespace espalier
