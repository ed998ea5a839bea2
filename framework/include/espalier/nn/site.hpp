// Named places in a frozen model where something trainable may be attached.
#pragma once

#include <cstdint>
#include <espalier/nn/mode.hpp>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace espalier {

// What a site is decides what its hooks are given; n is the batch, l the length, w the width.
//   linear      y = x W' + b, x [n, l, in] or [n, in]. Parts: q k v out fc1 fc2 patch projection
//               pooler (beside the feature, which does not depend on it: layer L+2)
//   norm        layer normalisation. Parts: norm1 norm2 (of a layer), embeddings, final, head
//   branch      what attention or the MLP adds to the residual stream, layer scale included: output
//               hooks get the stream that enters the branch, before any normalisation, and the
//               branch's result [n, l, w]. Parts: attention mlp
//   tokens      the sequence [n, l, w] itself, through input hooks. Parts: layer (what enters a
//               layer), embeddings (with positions, before the first norm), words (a text's word
//               embeddings, before positions). Images may grow longer here, texts may not.
//   feature     a tower's output [n, feature width], through input hooks
//   classifier  class vectors [classes, feature width], through input hooks
//   logits      class scores: output hooks get the features [n, w] that are classified and the
//               scores [n, classes] that the class vectors give them
enum class SiteRole { linear, norm, branch, tokens, feature, classifier, logits };
enum class TowerKind { image, text };

[[nodiscard]] std::string_view to_string(SiteRole role);
[[nodiscard]] std::string_view to_string(TowerKind kind);

// Where the feature is made of one position, a pass to it computes that one alone behind the keys
// and values of the last layer: hooks of that layer's q, out, fc1 and fc2, and of the norms behind
// attention, get [n, 1, ...] there, so they treat each position by itself. A hook on one of its
// branches, which may mix positions, makes the layer compute them all.
//
// Hooks see tensors in the model's own type and on its device, and return such tensors; class
// vectors and logits are float32 on the CPU, whatever the model computes in. A hook is called once
// a chunk of samples and pass, and again where a pass is replayed for its gradients: it gives the
// same numbers for the same parameters and mode, changes nothing in place (which is an Error), and
// keeps no tensor that it is given.
using InputHook = std::function<at::Tensor(const at::Tensor& input, const Mode& mode)>;
using OutputHook =
    std::function<at::Tensor(const at::Tensor& input, const at::Tensor& output, const Mode& mode)>;

class Site {
 public:
  std::string name;  // the module's path in Hugging Face's classes
  SiteRole role = SiteRole::linear;
  std::string part;
  TowerKind tower = TowerKind::image;
  std::int64_t layer = 0;  // -1: in the embeddings; else as cuts are counted in tower.hpp

  // Of linear sites [out, in] (a patch embedding: [out, channels, side, side]) and [out], of norms
  // [w] and [w]; else undefined, as is the bias of a linear map without one. Both may be replaced.
  at::Tensor weight;
  at::Tensor bias;

  // Change what enters, and what leaves given what entered. Throw Error where the site has such a
  // hook already: a method that wants two writes one that does both.
  void hook_input(InputHook hook);
  void hook_output(OutputHook hook);
  void unhook();
  [[nodiscard]] const InputHook& input_hook() const noexcept { return input_; }
  [[nodiscard]] const OutputHook& output_hook() const noexcept { return output_; }

  [[nodiscard]] bool hooked() const noexcept { return input_ || output_; }
  [[nodiscard]] at::Tensor enter(at::Tensor input, const Mode& mode) const;
  [[nodiscard]] at::Tensor leave(const at::Tensor& input, at::Tensor output,
                                 const Mode& mode) const;

 private:
  InputHook input_;
  OutputHook output_;
};

// The site's own map between its hooks.
[[nodiscard]] at::Tensor apply_linear(const Site& site, const at::Tensor& x, const Mode& mode);
[[nodiscard]] at::Tensor apply_norm(const Site& site, const at::Tensor& x, double eps,
                                    const Mode& mode);

}  // namespace espalier
