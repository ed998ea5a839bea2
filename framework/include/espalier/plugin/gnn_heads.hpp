// What convolutions with attention heads share.
#pragma once

#include <espalier/plugin/gnn_stack.hpp>

namespace espalier {

struct MultiHeadParams : StackParams {
  std::int64_t heads = 1;
  bool concat = true;
  std::int64_t edge_width = 0;
  bool bias = true;
};

// The stack's settings as well.
template <class Params>
void bind_heads(Schema<Params>& s) {
  bind_stack(s);
  s.template field<std::int64_t>("heads", &Params::heads)
      .range(1, 1024)
      .doc("Attention heads; with concat they share the width of a convolution");
  s.template field<bool>("concat", &Params::concat)
      .only_if("heads > 1")
      .doc("Heads side by side, else their mean, each as wide as the convolution");
  s.template field<std::int64_t>("edge_width", &Params::edge_width)
      .range(0, 4096)
      .doc("Numbers of an edge that attention looks at: 0 none, 1 its weight");
  s.template field<bool>("bias", &Params::bias).doc("Add a bias after each convolution");
}

// GAT's and GATv2's.
struct LoopedAttentionParams : MultiHeadParams {
  double negative_slope = 0.2;
  bool self_loops = true;
};

template <class Params>
void bind_looped_attention(Schema<Params>& s) {
  bind_heads(s);
  s.template field<double>("negative_slope", &Params::negative_slope)
      .range(0, 1)
      .doc("Slope of LeakyReLU below 0, which scores go through");
  s.template field<bool>("self_loops", &Params::self_loops)
      .doc("Whether a node attends to itself; loops of the graph are left out then");
}

// Columns of one head in a convolution to `out` columns. Throws Error where they do not come out
// even.
[[nodiscard]] std::int64_t width_of_a_head(const MultiHeadParams& params, std::int64_t out);
// h [t, heads * width] side by side or averaged, and the bias, where there is one, added.
[[nodiscard]] at::Tensor joined_heads(const MultiHeadParams& params, const at::Tensor& h,
                                      const at::Tensor& bias);

}  // namespace espalier
