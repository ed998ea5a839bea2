#include <espalier/nn/replay.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <memory>
#include <vector>

namespace espalier {
namespace {

// Relative to the largest value: kernels for tensors with a tape may round otherwise, and in half
// precision coarsely. A mask or a state that changed between the two is far beyond it.
double tolerance(const at::Tensor& values) {
  return values.scalar_type() == at::kFloat || values.scalar_type() == at::kDouble ? 1e-4 : 3e-2;
}

void require_equal(const at::Tensor& again, const at::Tensor& first, std::int64_t begin) {
  const c10::AutoGradMode no_grad(false);
  const bool one_shape = again.sizes() == first.sizes();
  if (one_shape && first.numel() == 0) return;
  const double difference = one_shape ? (again.detach() - first).abs().max().item<double>() : 0.0;
  const double scale = one_shape ? first.abs().max().item<double>() : 0.0;
  if (one_shape && difference <= tolerance(first) * std::max(scale, 1e-6)) return;
  throw Error({.what = "a replayed pass gives other numbers than the first",
               .where = "rows from " + std::to_string(begin),
               .expected = "the same numbers for the same parameters, mode and samples",
               .found = one_shape ? "a difference of " + std::to_string(difference)
                                  : "tensors of another shape",
               .fix = "a hook keeps no state between calls and draws by the mode alone"});
}

at::Tensor mapped(const at::Tensor& input, std::int64_t chunk, const RowMap& compute) {
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < input.size(0); begin += chunk) {
    parts.push_back(compute(begin, input.slice(0, begin, begin + chunk)));
  }
  return at::cat(parts);
}

// What replayed_map() leaves in the tape.
class MapNode final : public torch::autograd::Node {
 public:
  MapNode(const at::Tensor& input, std::int64_t chunk, RowMap compute)
      : Node(torch::autograd::collect_next_edges(input)),
        input_(input.detach()),
        chunk_(chunk),
        compute_(std::move(compute)) {}

  void release_variables() override {
    input_.reset();
    compute_ = nullptr;
  }

 private:
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    ESPALIER_ASSERT(compute_ != nullptr, "a tape is gone through once");
    const c10::AutoGradMode with_tape(true);
    const bool wanted = task_should_compute_output(0);
    std::vector<at::Tensor> of_input;
    for (std::int64_t begin = 0; begin < input_.size(0); begin += chunk_) {
      const std::int64_t end = std::min(begin + chunk_, input_.size(0));
      const at::Tensor some = input_.slice(0, begin, end).detach().set_requires_grad(wanted);
      const at::Tensor rows = compute_(begin, some);
      if (rows.requires_grad()) rows.backward(gradients[0].slice(0, begin, end));
      if (wanted) of_input.push_back(some.grad().defined() ? some.grad() : at::zeros_like(some));
    }
    return {wanted ? at::cat(of_input) : at::Tensor()};
  }

  at::Tensor input_;
  std::int64_t chunk_;
  RowMap compute_;
};

}  // namespace

ReplayedRows::ReplayedRows(std::int64_t rows, std::int64_t chunk, Compute compute, Compare compare)
    : chunk_(chunk), compute_(std::move(compute)), compare_(compare) {
  ESPALIER_ASSERT(rows >= 0 && chunk >= 1, "some rows, a chunk of one or more");
  if (rows <= chunk) {
    values_ = compute_(0, rows);
    return;
  }
  replays_ = c10::GradMode::is_enabled();
  const c10::AutoGradMode no_grad(false);
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < rows; begin += chunk) {
    parts.push_back(compute_(begin, std::min(begin + chunk, rows)));
  }
  values_ = at::cat(parts);
  if (replays_) values_.set_requires_grad(true);
}

void ReplayedRows::replay() {
  if (!replays_) return;
  const at::Tensor gradient = values_.grad();
  if (!gradient.defined()) return;
  for (std::int64_t begin = 0; begin < values_.size(0); begin += chunk_) {
    const std::int64_t end = std::min(begin + chunk_, values_.size(0));
    replay_chunk(begin, end, gradient.slice(0, begin, end));
  }
  values_.mutable_grad().reset();
}

void ReplayedRows::replay_chunk(std::int64_t begin, std::int64_t end,
                                const at::Tensor& gradient) const {
  const c10::AutoGradMode with_tape(true);
  const at::Tensor rows = compute_(begin, end);
  if (compare_ == Compare::yes) {
    require_equal(rows, values_.detach().slice(0, begin, end), begin);
  }
  if (rows.requires_grad()) rows.backward(gradient);
}

at::Tensor replayed_map(const at::Tensor& input, std::int64_t chunk, RowMap compute) {
  ESPALIER_ASSERT(input.size(0) >= 1 && chunk >= 1, "a row or more, a chunk of one or more");
  if (input.size(0) <= chunk || !c10::GradMode::is_enabled()) return mapped(input, chunk, compute);
  at::Tensor rows;
  {
    const c10::AutoGradMode no_grad(false);
    rows = mapped(input, chunk, compute);
  }
  const std::shared_ptr<MapNode> node(new MapNode(input, chunk, std::move(compute)),
                                      torch::autograd::deleteNode);
  torch::autograd::create_gradient_edge(rows, node);
  return rows;
}

}  // namespace espalier
