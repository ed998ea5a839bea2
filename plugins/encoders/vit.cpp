// ViT (Dosovitskiy et al. 2021).
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>

namespace {

class Vit final : public espalier::PretrainedEncoder {
 public:
  Vit(const Params& params, const espalier::RunContext& context)
      : PretrainedEncoder({"vit"}, params, context) {}
};

}  // namespace

ESPALIER_COMPONENT(encoder, "vit", 3, Vit, "A vision transformer from a Hugging Face folder",
                   "image sites")
