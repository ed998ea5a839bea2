// The classes that a task chooses among, as columns of the logits.
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <vector>

namespace espalier {

class ClassColumns {
 public:
  // All of them.
  ClassColumns() = default;
  // These labels, ascending.
  explicit ClassColumns(std::vector<std::int64_t> labels);

  // Logits [n, classes] of those alone, [n, labels].
  [[nodiscard]] at::Tensor of(const at::Tensor& logits) const;
  // Where a label stands among them; it must.
  [[nodiscard]] std::int64_t column(std::int64_t label) const;
  [[nodiscard]] std::vector<std::int64_t> columns(const std::vector<std::int64_t>& labels) const;

 private:
  std::vector<std::int64_t> labels_;  // empty: all
};

}  // namespace espalier
