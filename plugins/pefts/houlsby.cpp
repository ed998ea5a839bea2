// Houlsby et al. 2019: a bottleneck behind attention and one behind the MLP, on what the branch
// gives, before it is added to the stream,
//   z <- z + s (U a(D z + d) + u).
// Defaults are AdapterHub's (DoubleSeqBn): a = silu, a sixteenth of the width, N(0, 0.02^2).
#include <ATen/TensorOperators.h>

#include <espalier/peft/bottleneck.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct HoulsbyParams : espalier::BottleneckParams {
  HoulsbyParams() {
    target_modules = {"attention", "mlp"};
    non_linearity = "silu";
    init_weights = "bert";
  }
};

void bind(espalier::Schema<HoulsbyParams>& s) {
  bind_bottleneck(s);
  bind_init_weights(s);
  s.paper({{"lr", 3e-4}, {"batch_size", 32}, {"warmup", 0.1}},
          "Houlsby et al. 2019: the middle of the grid that they search");
}

class Houlsby final : public espalier::BottleneckMethod {
 public:
  using Params = HoulsbyParams;
  Houlsby(const Params& params, const espalier::RunContext&)
      : BottleneckMethod(params,
                         {.component = "houlsby", .mlp_adapter = "mlp_adapter", .seen = seen}) {}

 private:
  static at::Tensor seen(const at::Tensor&, const at::Tensor& result) { return result; }
};

}  // namespace

ESPALIER_COMPONENT(peft, "houlsby", 1, Houlsby,
                   "Bottlenecks behind attention and MLP (Houlsby 2019)", "needs_sites on_branch")
