// AdaptFormer (Chen et al. 2022): a narrow bottleneck beside the MLP of an image tower, on the
// stream that enters the branch, before its norm, as the authors' code has it,
//   y = h + MLP(norm(h)) + s (U drop(relu(D h + d)) + u), m = 64, s = 0.1, U = 0.
#include <ATen/TensorOperators.h>

#include <espalier/peft/bottleneck.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct AdaptFormerParams : espalier::BottleneckParams {
  AdaptFormerParams() {
    towers = "image";
    bottleneck = 64;
    scaling = 0.1;
    dropout = 0.1;
  }
};

void bind(espalier::Schema<AdaptFormerParams>& s) {
  bind_bottleneck(s);
  s.paper({{"optimizer", "sgd"},
           {"momentum", 0.9},
           {"lr", 0.1},
           {"weight_decay", 0},
           {"batch_size", 256},
           {"epochs", 100},
           {"warmup", 0.2},
           {"schedule", "cosine"}},
          "the authors' code: 0.1 for 256 images an update");
}

class AdaptFormer final : public espalier::BottleneckMethod {
 public:
  using Params = AdaptFormerParams;
  AdaptFormer(const Params& params, const espalier::RunContext&)
      : BottleneckMethod(params,
                         {.component = "adaptformer", .mlp_adapter = "adapter", .seen = seen}) {}

 private:
  static at::Tensor seen(const at::Tensor& stream, const at::Tensor&) { return stream; }
};

}  // namespace

ESPALIER_COMPONENT(peft, "adaptformer", 1, AdaptFormer,
                   "A narrow bottleneck beside each MLP of the image tower (Chen 2022)",
                   "needs_sites needs_image on_branch identity_at_init")
