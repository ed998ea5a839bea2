// Pfeiffer et al. 2021: one bottleneck a layer, behind the MLP, on the sum with the stream,
//   y <- y + s (U a(D y + d) + u), y = h + MLP(norm(h)).
// In a model whose norm comes last, such as BERT, y is what enters that norm. Defaults are
// AdapterHub's (SeqBn): a = relu, a sixteenth of the width, N(0, 0.02^2).
#include <ATen/TensorOperators.h>

#include <espalier/peft/bottleneck.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct PfeifferParams : espalier::BottleneckParams {
  PfeifferParams() { init_weights = "bert"; }
};

void bind(espalier::Schema<PfeifferParams>& s) {
  bind_bottleneck(s);
  bind_init_weights(s);
  s.paper({{"lr", 1e-4}}, "AdapterHub");
}

class Pfeiffer final : public espalier::BottleneckMethod {
 public:
  using Params = PfeifferParams;
  Pfeiffer(const Params& params, const espalier::RunContext&)
      : BottleneckMethod(params,
                         {.component = "pfeiffer", .mlp_adapter = "adapter", .seen = seen}) {}

 private:
  static at::Tensor seen(const at::Tensor& stream, const at::Tensor& result) {
    return stream + result;
  }
};

}  // namespace

ESPALIER_COMPONENT(peft, "pfeiffer", 1, Pfeiffer, "A bottleneck behind each layer (Pfeiffer 2021)",
                   "needs_sites on_branch")
