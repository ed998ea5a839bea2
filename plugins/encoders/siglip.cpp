// SigLIP (Zhai et al. 2023).
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>

namespace {

class Siglip final : public espalier::PretrainedEncoder {
 public:
  Siglip(const Params& params, const espalier::RunContext& context)
      : PretrainedEncoder({"siglip"}, params, context) {}
};

}  // namespace

ESPALIER_COMPONENT(encoder, "siglip", 3, Siglip,
                   "SigLIP's image and text towers from a Hugging Face folder",
                   "image text shared_space sites")
