#include <espalier/plugin/component.hpp>

#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/dataset.hpp>

namespace espalier {

RunContext::~RunContext() = default;
Registrar::~Registrar() = default;
Dataset::~Dataset() = default;
Captioner::~Captioner() = default;

Json Dataset::facts(std::size_t) const { return nullptr; }

std::string_view to_string(Split split) {
  switch (split) {
    case Split::none:
      return "none";
    case Split::train:
      return "train";
    case Split::val:
      return "val";
    case Split::test:
      return "test";
  }
  return "none";
}

}  // namespace espalier
