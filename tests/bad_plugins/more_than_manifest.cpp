// Registers a second component that its manifest does not name.
#define espalier_plugin_entry declared_entry
#include "fixture.hpp"
ESPALIER_COMPONENT(captioner, "more_than_manifest", 1, Fixture, "Has a stowaway", "text")
#undef espalier_plugin_entry

extern "C" __attribute__((visibility("default"))) void espalier_plugin_entry(
    espalier::Registrar& registrar) noexcept {
  declared_entry(registrar);
  registrar.add<Fixture>("captioner", "stowaway", 1);
}
