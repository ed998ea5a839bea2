#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

#include <espalier/nn/site.hpp>
#include <utility>

namespace espalier {

std::string_view to_string(SiteRole role) {
  constexpr std::string_view names[] = {"linear", "norm",    "branch",
                                        "tokens", "feature", "classifier"};
  return names[static_cast<std::size_t>(role)];
}

std::string_view to_string(TowerKind kind) { return kind == TowerKind::image ? "image" : "text"; }

at::Tensor Site::enter(at::Tensor input) const {
  for (const InputHook& hook : inputs) input = hook(input);
  return input;
}

at::Tensor Site::leave(const at::Tensor& input, at::Tensor output) const {
  for (const OutputHook& hook : outputs) output = hook(input, output);
  return output;
}

at::Tensor apply_linear(const Site& site, const at::Tensor& x) {
  const at::Tensor input = site.enter(x);
  return site.leave(input, at::linear(input, site.weight, site.bias));
}

at::Tensor apply_norm(const Site& site, const at::Tensor& x, double eps) {
  const at::Tensor input = site.enter(x);
  return site.leave(input, at::layer_norm(input, {input.size(-1)}, site.weight, site.bias, eps));
}

}  // namespace espalier
