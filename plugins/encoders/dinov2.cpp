// DINOv2 (Oquab et al. 2023).
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>

namespace {

class Dinov2 final : public espalier::PretrainedEncoder {
 public:
  Dinov2(const Params& params, const espalier::RunContext& context)
      : PretrainedEncoder({"dinov2"}, params, context) {}
};

}  // namespace

ESPALIER_COMPONENT(encoder, "dinov2", 3, Dinov2,
                   "A DINOv2 vision transformer from a Hugging Face folder", "image sites")
