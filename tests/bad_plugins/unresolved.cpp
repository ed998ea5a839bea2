// Needs a function that nobody has.
#include "fixture.hpp"

extern "C" int espalier_test_function_that_nobody_has();

namespace {

class Unresolved final : public Fixture {
 public:
  using Fixture::Fixture;
  [[nodiscard]] espalier::Caption caption(const espalier::CaptionRequest&) const override {
    return {std::to_string(espalier_test_function_that_nobody_has()), "fixture"};
  }
};

}  // namespace

ESPALIER_COMPONENT(captioner, "unresolved", 1, Unresolved, "Needs what is not there", "text")
