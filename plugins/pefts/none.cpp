// The encoder stays as it is.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>

namespace {

class NoPeft final : public espalier::Peft {
 public:
  using Params = espalier::NoParams;
  NoPeft(const Params&, const espalier::RunContext&) {}
  void merge(espalier::AdaptableEncoder&) override {}
};

}  // namespace

ESPALIER_COMPONENT(peft, "none", 1, NoPeft, "Leaves the encoder frozen",
                   "identity_at_init mergeable")
