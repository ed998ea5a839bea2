// A parameter without a word on what it means, and one with a full stop.
#include "fixture.hpp"

namespace {

struct Params {
  std::int64_t length = 3;
  double weight = 1.0;
};
void bind(espalier::Schema<Params>& s) {
  s.field("length", &Params::length).range(0, 10);
  s.field("weight", &Params::weight).range(0, 1).doc("Weight of the words.");
}

class Undocumented final : public Fixture {
 public:
  using Params = ::Params;
  Undocumented(const Params&, const espalier::RunContext& context) : Fixture({}, context) {}
};

}  // namespace

ESPALIER_COMPONENT(captioner, "undocumented", 1, Undocumented, "Keeps its meaning to itself",
                   "text")
