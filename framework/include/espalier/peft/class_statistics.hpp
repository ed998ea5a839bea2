// What few-shot methods take from labelled rows, as matrix products. Labels are int64 [rows].
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// float32 [rows, classes]
[[nodiscard]] at::Tensor indicators(const at::Tensor& labels, std::int64_t classes);
// Rows of each class [classes]; 1 where there is none, so that it can be divided by.
[[nodiscard]] at::Tensor rows_per_class(const at::Tensor& labels, std::int64_t classes);
// Mean row of each class [classes, width]; 0 where there is none.
[[nodiscard]] at::Tensor class_means(const at::Tensor& x, const at::Tensor& labels,
                                     std::int64_t classes);
// Rows whose largest score is that of their label.
[[nodiscard]] std::int64_t hits(const at::Tensor& scores, const at::Tensor& labels);

}  // namespace espalier
