// What GIN (Xu et al. 2019) and its variant for edges share: the node's own share and the
// perceptron.
#pragma once

#include <espalier/nn/perceptron.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace espalier {

struct IsomorphismParams : StackParams {
  double eps = 0.0;
  bool train_eps = false;
  std::int64_t mlp_hidden = 0;
};

// The stack's settings as well.
template <class Params>
void bind_isomorphism(Schema<Params>& s) {
  bind_stack(s);
  s.template field<double>("eps", &Params::eps)
      .range(-100, 100)
      .doc("1 + eps is what a node's own state is multiplied with");
  s.template field<bool>("train_eps", &Params::train_eps).doc("Whether eps is trained");
  s.template field<std::int64_t>("mlp_hidden", &Params::mlp_hidden)
      .range(0, 65536)
      .doc("Hidden width of each convolution's perceptron, 0 for that of its output");
}

class IsomorphismUpdate {
 public:
  explicit IsomorphismUpdate(const IsomorphismParams& params) : params_(params) {}
  void init(std::int64_t in, std::int64_t out, Parameters& parameters, Random& random);

  // 1 + eps for each row of `targets`, [t].
  [[nodiscard]] at::Tensor own_weights(const at::Tensor& targets) const;
  [[nodiscard]] at::Tensor perceptron(const at::Tensor& h) const { return perceptron_(h); }

 private:
  IsomorphismParams params_;
  at::Tensor eps_;  // [1], undefined where it is not trained
  Perceptron perceptron_;
};

}  // namespace espalier
