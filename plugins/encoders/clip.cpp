// CLIP (Radford et al. 2021), OpenAI's and LAION's models in Hugging Face's layout.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>

namespace {

class Clip final : public espalier::PretrainedEncoder {
 public:
  Clip(const Params& params, const espalier::RunContext& context)
      : PretrainedEncoder({"clip", "clip_text_model", "clip_vision_model"}, params, context) {}
};

}  // namespace

ESPALIER_COMPONENT(encoder, "clip", 3, Clip,
                   "CLIP's image and text towers, or one of them, from a Hugging Face folder",
                   "image text shared_space sites")
