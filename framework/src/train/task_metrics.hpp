// How well what was learned earlier is still known.
#pragma once

#include <cstddef>
#include <vector>

namespace espalier {

// Row i, column j: accuracy on task j after tasks 0 to i were learned, NaN for j > i.
using AccuracyMatrix = std::vector<std::vector<double>>;

// Mean over the tasks but the last of R[T][j] - R[j][j]: what learning later tasks did to them
// (Lopez-Paz and Ranzato 2017). NaN for fewer than two tasks.
[[nodiscard]] double backward_transfer(const AccuracyMatrix& accuracy);
// Mean over the tasks but the last of max over i < T of R[i][j], less R[T][j] (Chaudhry et al.
// 2018). NaN for fewer than two tasks.
[[nodiscard]] double forgetting(const AccuracyMatrix& accuracy);

}  // namespace espalier
