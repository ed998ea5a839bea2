// Scaled parallel adapter (He et al. 2021): a bottleneck beside the MLP, on the stream that enters
// the branch, before its norm,
//   y = h + MLP(norm(h)) + s (U a(D h + d) + u).
// Defaults are AdapterHub's (ParBn): a = relu, half the width, s = 4, U = 0.
#include <ATen/TensorOperators.h>

#include <espalier/peft/bottleneck.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct ParallelParams : espalier::BottleneckParams {
  ParallelParams() {
    reduction_factor = 2;
    scaling = 4;
  }
};

void bind(espalier::Schema<ParallelParams>& s) {
  bind_bottleneck(s);
  s.paper({{"lr", 1e-4}, {"batch_size", 32}, {"epochs", 10}}, "He et al. 2021, GLUE");
}

class Parallel final : public espalier::BottleneckMethod {
 public:
  using Params = ParallelParams;
  Parallel(const Params& params, const espalier::RunContext&)
      : BottleneckMethod(params,
                         {.component = "parallel", .mlp_adapter = "adapter", .seen = seen}) {}

 private:
  static at::Tensor seen(const at::Tensor& stream, const at::Tensor&) { return stream; }
};

}  // namespace

ESPALIER_COMPONENT(peft, "parallel", 1, Parallel, "A scaled bottleneck beside each MLP (He 2021)",
                   "needs_sites on_branch identity_at_init")
