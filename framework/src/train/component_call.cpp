#include "train/component_call.hpp"

#include <ATen/ops/isfinite.h>

#include <espalier/core/error.hpp>
#include <sstream>

namespace espalier {
namespace {

std::string name_of(std::string_view component, std::string_view operation) {
  return std::string(component) + " breaks its contract in " + std::string(operation);
}

std::string shape_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  std::ostringstream text;
  text << c10::toString(tensor.scalar_type()) << " " << tensor.sizes();
  return text.str();
}

}  // namespace

void require_shape(std::string_view component, std::string_view operation, const at::Tensor& tensor,
                   std::int64_t rows, std::int64_t width) {
  const bool fits = tensor.defined() && tensor.scalar_type() == at::kFloat && tensor.dim() == 2 &&
                    tensor.size(0) == rows && tensor.size(1) == width;
  if (fits) return;
  throw Error({.what = name_of(component, operation) + ": a result of the wrong shape or type",
               .where = {},
               .expected = "Float [" + std::to_string(rows) + ", " + std::to_string(width) + "]",
               .found = shape_of(tensor),
               .fix = {}});
}

void require_finite(std::string_view component, std::string_view operation,
                    const at::Tensor& tensor) {
  if (at::isfinite(tensor).all().item<bool>()) return;
  throw Error({.what = name_of(component, operation) + ": values that are not finite",
               .where = {},
               .expected = "finite numbers",
               .found = "NaN or infinity",
               .fix = {}});
}

void require_rows(std::string_view component, std::string_view operation, const at::Tensor& tensor,
                  std::int64_t rows, std::int64_t width) {
  require_shape(component, operation, tensor, rows, width);
  require_finite(component, operation, tensor);
}

void require_graph(std::string_view component, std::string_view operation, const CsrGraph& graph,
                   std::int64_t targets, std::int64_t sources) {
  const auto size = [](std::int64_t t, std::int64_t s) {
    return std::to_string(t) + " targets, " + std::to_string(s) + " sources";
  };
  if (graph.targets != targets || graph.sources != sources) {
    throw Error({.what = name_of(component, operation) + ": a graph of the wrong size",
                 .where = {},
                 .expected = size(targets, sources),
                 .found = size(graph.targets, graph.sources),
                 .fix = {}});
  }
  guarded(name_of(component, operation), operation, [&] { check_canonical(graph); });
}

}  // namespace espalier
