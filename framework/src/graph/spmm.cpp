#include <espalier/graph/spmm.hpp>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sparse_csr_tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// Enough multiplications for a thread to be worth its start.
constexpr std::int64_t product_grain = 1 << 15;

std::int64_t rows_per_thread(std::int64_t rows, std::int64_t edges, std::int64_t width) {
  const std::int64_t work = edges * width / std::max<std::int64_t>(1, rows);
  return std::max<std::int64_t>(1, product_grain / std::max<std::int64_t>(1, work));
}

template <class T>
void multiply(const at::Tensor& rowptr, const at::Tensor& col, const at::Tensor& weight,
              const at::Tensor& x, at::Tensor& y) {
  const auto* begin = rowptr.data_ptr<std::int64_t>();
  const auto* source = col.data_ptr<std::int64_t>();
  const T* w = weight.data_ptr<T>();
  const T* in = x.data_ptr<T>();
  T* out = y.data_ptr<T>();
  const std::int64_t width = x.size(1);
  at::parallel_for(0, y.size(0), rows_per_thread(y.size(0), col.numel(), width),
                   [&](std::int64_t from, std::int64_t to) {
                     for (std::int64_t i = from; i < to; ++i) {
                       for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) {
                         const T* row = in + source[e] * width;
                         T* sum = out + i * width;
                         for (std::int64_t k = 0; k < width; ++k) sum[k] += w[e] * row[k];
                       }
                     }
                   });
}

at::Tensor product(const at::Tensor& rowptr, const at::Tensor& col, const at::Tensor& weight,
                   const at::Tensor& x) {
  const std::int64_t rows = rowptr.numel() - 1;
  if (!x.is_cpu()) {
    return at::sparse_csr_tensor(rowptr, col, weight, {rows, x.size(0)}, weight.options())
        .matmul(x);
  }
  at::Tensor y = at::zeros({rows, x.size(1)}, x.options());
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "spmm", [&] {
    multiply<scalar_t>(rowptr, col, weight.contiguous(), x.contiguous(), y);
  });
  return y;
}

class Spmm : public torch::autograd::Function<Spmm> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& weight,
                          const Variable& x) {
    context->save_for_backward({weight, x});
    context->saved_data["col"] = graph.col;
    const std::shared_ptr<const EdgeIndex> index = edge_index(graph);
    context->saved_data["row"] = index->row;
    context->saved_data["t_rowptr"] = index->t_rowptr;
    context->saved_data["t_row"] = index->t_row;
    context->saved_data["t_edge"] = index->t_edge;
    return product(graph.rowptr, graph.col, weight, x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& weight = saved[0];
    const at::Tensor& x = saved[1];
    const at::Tensor dy = gradients[0].contiguous();
    const auto kept = [&](const char* name) { return context->saved_data[name].toTensor(); };
    at::Tensor dweight;
    at::Tensor dx;
    if (context->needs_input_grad(0)) {
      dweight = (dy.index_select(0, kept("row")) * x.index_select(0, kept("col"))).sum(1);
    }
    if (context->needs_input_grad(1)) {
      dx = product(kept("t_rowptr"), kept("t_row"), weight.index_select(0, kept("t_edge")), dy);
    }
    return {at::Tensor(), dweight, dx};
  }
};

}  // namespace

at::Tensor spmm(const CsrGraph& graph, const at::Tensor& weight, const at::Tensor& x) {
  ESPALIER_ASSERT(x.dim() == 2 && x.size(0) == graph.sources, "one row of x a source");
  ESPALIER_ASSERT(weight.dim() == 1 && weight.size(0) == graph.edges(), "one weight an edge");
  const bool differentiable = weight.requires_grad() || x.requires_grad();
  if (!differentiable) return product(graph.rowptr, graph.col, weight, x);
  return Spmm::apply(graph, weight, x);
}

}  // namespace espalier
