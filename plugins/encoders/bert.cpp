// BERT (Devlin et al. 2019), MiniLM, DistilBERT and MPNet, as sentence encoders.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/pretrained_encoder.hpp>

namespace {

class Bert final : public espalier::PretrainedEncoder {
 public:
  Bert(const Params& params, const espalier::RunContext& context)
      : PretrainedEncoder({"bert", "distilbert", "mpnet"}, params, context) {}
};

}  // namespace

ESPALIER_COMPONENT(encoder, "bert", 3, Bert,
                   "A BERT, MiniLM, DistilBERT or MPNet sentence encoder from a Hugging Face folder",
                   "text sites")
