// Calls into components, and what they must return.
#pragma once

#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/tensor/tensor.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace espalier {

// The call's result; whatever it throws becomes an Error that names component and operation.
template <class Call>
auto call_component(std::string_view component, std::string_view operation, const Call& call) {
  std::optional<decltype(call())> result;
  guarded(component, operation, [&] { result.emplace(call()); });
  return std::move(*result);
}

// Throws Error naming component and operation unless `tensor` is float32 [rows, width].
void require_shape(std::string_view component, std::string_view operation, const at::Tensor& tensor,
                   std::int64_t rows, std::int64_t width);
// The same unless all its values are finite.
void require_finite(std::string_view component, std::string_view operation,
                    const at::Tensor& tensor);
// Both.
void require_rows(std::string_view component, std::string_view operation, const at::Tensor& tensor,
                  std::int64_t rows, std::int64_t width);

// The same unless the graph has this size and is canonical.
void require_graph(std::string_view component, std::string_view operation, const CsrGraph& graph,
                   std::int64_t targets, std::int64_t sources);

}  // namespace espalier
