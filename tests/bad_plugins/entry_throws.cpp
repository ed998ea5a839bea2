// The parameters cannot be described.
#include <stdexcept>

#include "fixture.hpp"

namespace {

struct Params {};
void bind(espalier::Schema<Params>&) { throw std::runtime_error("no parameters today"); }

class Throwing final : public Fixture {
 public:
  using Params = ::Params;
  Throwing(const Params&, const espalier::RunContext& context) : Fixture({}, context) {}
};

}  // namespace

ESPALIER_COMPONENT(captioner, "entry_throws", 1, Throwing, "Fails in its entry point", "text")
