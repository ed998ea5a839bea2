// CLIP-Adapter (Gao et al. 2021): a bottleneck behind the image tower, mixed with its feature.
//   g = ratio relu(W_up relu(W_down f)) + (1 - ratio) f
// without biases. Not the identity at the start: a fifth of g is the untrained bottleneck's.
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include <algorithm>
#include <espalier/peft/adapter.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>

namespace {

struct ClipAdapterParams {
  double ratio = 0.2;
  std::int64_t reduction = 4;
};

void bind(espalier::Schema<ClipAdapterParams>& s) {
  s.field("ratio", &ClipAdapterParams::ratio)
      .above(0)
      .max(1)
      .doc("Share of the bottleneck in the feature")
      .source("Gao et al. 2021");
  s.field("reduction", &ClipAdapterParams::reduction)
      .sizes(-1)
      .range(1, 65536)
      .doc("Width of the feature over that of the bottleneck, which is 1 at least")
      .source("Gao et al. 2021");
  s.paper({{"lr", 1e-5}, {"batch_size", 32}}, "Gao et al. 2021");
}

class ClipAdapter final : public espalier::Peft {
 public:
  using Params = ClipAdapterParams;
  ClipAdapter(const Params& params, const espalier::RunContext&) : params_(params) {}

  void attach(espalier::AdaptableEncoder& encoder, espalier::Parameters& parameters,
              espalier::Random& random) override {
    if (encoder.image() == nullptr) return;
    const std::int64_t width = encoder.image()->feature_width();
    const std::int64_t inner = std::max<std::int64_t>(1, width / params_.reduction);
    const at::Tensor down =
        parameters.add("down.weight", espalier::linear_init({inner, width}, random));
    const at::Tensor up =
        parameters.add("up.weight", espalier::linear_init({width, inner}, random));
    encoder.site("image_features")
        .hook_input([down, up, a = params_.ratio](const at::Tensor& x, const espalier::Mode&) {
          const at::Tensor f = x.to(at::kFloat);
          const at::Tensor g = at::relu(at::linear(at::relu(at::linear(f, down)), up));
          return (g * a + f * (1 - a)).to(x.scalar_type());
        });
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("clip_adapter", {{"ratio", espalier::number(params_.ratio)},
                                                         {"reduction", params_.reduction}});
  }

 private:
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "clip_adapter", 1, ClipAdapter,
                   "A bottleneck behind the image tower (Gao et al. 2021)",
                   "needs_sites needs_image on_feature")
