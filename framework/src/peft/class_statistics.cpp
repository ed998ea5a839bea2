#include <espalier/peft/class_statistics.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/one_hot.h>

namespace espalier {

at::Tensor indicators(const at::Tensor& labels, std::int64_t classes) {
  return at::one_hot(labels, classes).to(at::kFloat);
}

at::Tensor rows_per_class(const at::Tensor& labels, std::int64_t classes) {
  return indicators(labels, classes).sum(0).clamp_min(1);
}

at::Tensor class_means(const at::Tensor& x, const at::Tensor& labels, std::int64_t classes) {
  const at::Tensor of = indicators(labels, classes).to(x.scalar_type());
  return at::matmul(of.t(), x) / of.sum(0).clamp_min(1).unsqueeze(1);
}

std::int64_t hits(const at::Tensor& scores, const at::Tensor& labels) {
  return (at::argmax(scores, 1) == labels).sum().item<std::int64_t>();
}

}  // namespace espalier
