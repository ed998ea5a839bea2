// No captions: every text is empty.
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>

namespace {

class NoCaption final : public espalier::Captioner {
 public:
  using Params = espalier::NoParams;

  NoCaption(const Params&, const espalier::RunContext&) {}

  espalier::Caption caption(const espalier::CaptionRequest&) const override { return {"", "none"}; }
};

}  // namespace

ESPALIER_COMPONENT(captioner, "none", 1, NoCaption, "Leaves every caption empty", "")
