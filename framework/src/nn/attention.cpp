#include <espalier/nn/attention.hpp>

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <limits>
#include <optional>

#if TORCH_VERSION_MAJOR >= 2
#include <ATen/ops/scaled_dot_product_attention.h>
#endif

namespace espalier {
namespace {

double lowest(at::ScalarType type) {
  if (type == at::kHalf) return -65504.0;
  if (type == at::kBFloat16) return -3.3895313892515355e38;
  return static_cast<double>(std::numeric_limits<float>::lowest());
}

// bool [l, l], true below and on the diagonal.
at::Tensor not_later(std::int64_t length, const at::TensorOptions& options) {
  return at::full({length, length}, true, options.dtype(at::kBool)).tril();
}

at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

at::Tensor join_heads(const at::Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

#if TORCH_VERSION_MAJOR < 2

at::Tensor flatten_heads(const at::Tensor& x) {
  return x.reshape({x.size(0) * x.size(1), x.size(2), x.size(3)});
}

at::Tensor by_hand(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                   const AttentionBias& bias) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  const std::int64_t rows = q.size(2), columns = k.size(2);
  // Not baddbmm with beta 0: LibTorch 1.13's multiplies what was in memory before.
  at::Tensor scores = at::bmm(flatten_heads(q * scale), flatten_heads(k).transpose(1, 2))
                          .view({q.size(0), q.size(1), rows, columns});
  if (bias.added.defined()) scores = scores + bias.added;
  if (bias.causal) {
    scores =
        scores.masked_fill(not_later(rows, q.options()).logical_not(), lowest(q.scalar_type()));
  }
  const at::Tensor weights = at::softmax(scores, -1).view({-1, rows, columns});
  return at::bmm(weights, flatten_heads(v)).view({q.size(0), q.size(1), rows, v.size(3)});
}

#endif

}  // namespace

AttentionBias attention_bias(const at::Tensor& like, bool causal, const at::Tensor& valid,
                             const at::Tensor& relative) {
  const bool all = !valid.defined();
  if (all && !(causal && relative.defined())) return {.causal = causal, .added = relative};
  at::Tensor allowed =
      all ? not_later(like.size(1), like.options())
          : valid.view({valid.size(0), 1, 1, valid.size(1)}).expand({-1, 1, valid.size(1), -1});
  if (causal && !all) allowed = allowed.logical_and(not_later(like.size(1), like.options()));
  const at::Tensor added = (relative.defined() ? relative : at::zeros({1}, like.options()))
                               .masked_fill(allowed.logical_not(), lowest(like.scalar_type()));
  return {.causal = false, .added = added};
}

AttentionBias bias_at(const AttentionBias& bias, const at::Tensor& positions,
                      const at::Tensor& like) {
  if (bias.causal) {
    const at::Tensor keys = at::arange(like.size(1), positions.options());
    const at::Tensor later = keys.view({1, 1, 1, -1}) > positions.view({-1, 1, 1, 1});
    return {.causal = false,
            .added = at::zeros({1}, like.options()).masked_fill(later, lowest(like.scalar_type()))};
  }
  if (!bias.added.defined() || bias.added.size(2) == 1) return bias;
  const at::Tensor rows = at::arange(positions.size(0), positions.options());
  const at::Tensor of_queries = bias.added.expand({positions.size(0), -1, -1, -1}).transpose(1, 2);
  return {.causal = false, .added = of_queries.index({rows, positions}).unsqueeze(2)};
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     std::int64_t heads, const AttentionBias& bias) {
  const at::Tensor query = split_heads(q, heads);
  const at::Tensor key = split_heads(k, heads);
  const at::Tensor value = split_heads(v, heads);
#if TORCH_VERSION_MAJOR >= 2
  ESPALIER_ASSERT(!(bias.causal && bias.added.defined()), "attention_bias() folds the two");
  const auto added =
      bias.added.defined() ? std::optional<at::Tensor>(bias.added) : std::optional<at::Tensor>();
  return join_heads(at::scaled_dot_product_attention(query, key, value, added, 0.0, bias.causal));
#else
  return join_heads(by_hand(query, key, value, bias));
#endif
}

}  // namespace espalier
