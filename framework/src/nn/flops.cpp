#include <espalier/nn/flops.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>

namespace espalier {
namespace {

using Inputs = c10::ArrayRef<const c10::IValue>;

// LibTorch hands its callbacks nothing of their owner's, so the sum is one for the process.
std::atomic<std::int64_t> done{0};
std::mutex registering;
std::int64_t counters = 0;
at::CallbackHandle callback = 0;

at::IntArrayRef sizes_at(Inputs inputs, std::size_t index) {
  static const std::int64_t none[] = {0, 0, 0};
  if (index >= inputs.size() || !inputs[index].isTensor()) return none;
  const at::Tensor& tensor = inputs[index].toTensor();
  return tensor.defined() ? tensor.sizes() : at::IntArrayRef(none);
}

std::int64_t entries_of(at::IntArrayRef sizes) {
  std::int64_t result = 1;
  for (const std::int64_t size : sizes) result *= size;
  return result;
}

// [.., m, k] times [.., k, n] or [k].
std::int64_t of_matrices(Inputs inputs, std::size_t first) {
  const at::IntArrayRef left = sizes_at(inputs, first);
  const at::IntArrayRef right = sizes_at(inputs, first + 1);
  const bool columns = right.size() > 1;
  return 2 * entries_of(left) * (columns ? right.back() : 1);
}

std::int64_t value_along(const c10::IValue& list, std::size_t axis) {
  const auto values = list.toIntVector();
  return values.size() == 1 ? values[0] : values[axis];
}

// convolution(input, weight, bias, stride, padding, dilation, ...)
std::int64_t of_convolution(Inputs inputs) {
  const at::IntArrayRef input = sizes_at(inputs, 0);
  const at::IntArrayRef weight = sizes_at(inputs, 1);
  std::int64_t places = input[0];
  for (std::size_t axis = 0; axis + 2 < input.size(); ++axis) {
    const std::int64_t reach = value_along(inputs[5], axis) * (weight[axis + 2] - 1) + 1;
    const std::int64_t room = input[axis + 2] + 2 * value_along(inputs[4], axis) - reach;
    places *= room / value_along(inputs[3], axis) + 1;
  }
  return 2 * places * entries_of(weight);
}

// convolution_backward(grad_output, input, weight, ..., output_mask)
std::int64_t of_convolution_backward(Inputs inputs) {
  const at::IntArrayRef out = sizes_at(inputs, 0);
  const at::IntArrayRef weight = sizes_at(inputs, 2);
  const auto wanted = inputs.back().toBoolList();
  const std::int64_t once = 2 * entries_of(out) * (entries_of(weight) / weight[0]);
  return once * (std::int64_t{wanted.get(0)} + std::int64_t{wanted.get(1)});
}

std::int64_t flops_of(std::string_view name, Inputs inputs) {
  if (name == "aten::mm" || name == "aten::bmm" || name == "aten::mv") {
    return of_matrices(inputs, 0);
  }
  if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::addmv") {
    return of_matrices(inputs, 1);
  }
  if (name == "aten::dot") return 2 * entries_of(sizes_at(inputs, 0));
  if (name == "aten::convolution") return of_convolution(inputs);
  if (name == "aten::convolution_backward") return of_convolution_backward(inputs);
  return 0;
}

std::unique_ptr<at::ObserverContext> count_function(const at::RecordFunction& function) {
  done += flops_of(function.name(), function.inputs());
  return nullptr;
}

}  // namespace

FlopCounter::FlopCounter() {
  const std::lock_guard lock(registering);
  if (counters++ == 0) {
    callback = at::addGlobalCallback(at::RecordFunctionCallback(count_function)
                                         .needsInputs(true)
                                         .scopes({at::RecordScope::FUNCTION}));
  }
  start_ = done;
}

FlopCounter::~FlopCounter() {
  const std::lock_guard lock(registering);
  if (--counters == 0) at::removeCallback(callback);
}

std::int64_t FlopCounter::count() const { return done - start_; }

}  // namespace espalier
