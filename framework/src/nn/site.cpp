#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/site.hpp>
#include <utility>

namespace espalier {
namespace {

void refuse_second(const Site& site, const char* side) {
  throw Error({.what = "a site is hooked twice: " + site.name,
               .where = {},
               .expected = std::string("one ") + side + " hook a site",
               .found = "a second",
               .fix = "name each site once, or let one hook do the work of both"});
}

// Counts changes in place; inference tensors count none.
std::int64_t version_of(const at::Tensor& tensor) {
  return tensor.is_inference() ? 0 : tensor._version();
}

void refuse_in_place(const Site& site, const char* side) {
  throw Error({.what = "a hook changes a tensor in place: " + site.name,
               .where = {},
               .expected = "a new tensor: others use the one that a hook is given",
               .found = std::string("its ") + side + " was written to",
               .fix = "leave out operations that end in _, such as add_()"});
}

}  // namespace

std::string_view to_string(SiteRole role) {
  constexpr std::string_view names[] = {"linear",  "norm",       "branch", "tokens",
                                        "feature", "classifier", "logits"};
  return names[static_cast<std::size_t>(role)];
}

std::string_view to_string(TowerKind kind) { return kind == TowerKind::image ? "image" : "text"; }

void Site::hook_input(InputHook hook) {
  if (input_) refuse_second(*this, "input");
  input_ = std::move(hook);
}

void Site::hook_output(OutputHook hook) {
  if (output_) refuse_second(*this, "output");
  output_ = std::move(hook);
}

void Site::unhook() {
  input_ = nullptr;
  output_ = nullptr;
}

at::Tensor Site::enter(at::Tensor input, const Mode& mode) const {
  if (!input_) return input;
  const auto before = version_of(input);
  at::Tensor changed = input_(input, mode);
  if (version_of(input) != before) refuse_in_place(*this, "input");
  return changed;
}

at::Tensor Site::leave(const at::Tensor& input, at::Tensor output, const Mode& mode) const {
  if (!output_) return output;
  const std::pair before(version_of(input), version_of(output));
  at::Tensor changed = output_(input, output, mode);
  if (version_of(input) != before.first) refuse_in_place(*this, "input");
  if (version_of(output) != before.second) refuse_in_place(*this, "output");
  return changed;
}

at::Tensor apply_linear(const Site& site, const at::Tensor& x, const Mode& mode) {
  const at::Tensor input = site.enter(x, mode);
  return site.leave(input, at::linear(input, site.weight, site.bias), mode);
}

at::Tensor apply_norm(const Site& site, const at::Tensor& x, double eps, const Mode& mode) {
  const at::Tensor input = site.enter(x, mode);
  return site.leave(input, at::layer_norm(input, {input.size(-1)}, site.weight, site.bias, eps),
                    mode);
}

}  // namespace espalier
