// On which toy models a method is looked at: those that have what it declares to need.
#pragma once

#include <espalier/testing/conformance.hpp>
#include <string>
#include <vector>

#include "toy_models_internal.hpp"

namespace espalier::conformance {

// The method in a setting that suits the family: modules to change (TargetParams) that are not
// there give way to all linear ones.
[[nodiscard]] Subject fitted_to(const Subject& subject, ToyFamily family);

// Why a method is not looked at on a family; empty where it is. It needs a tower (`needs_image`,
// `needs_text`, LayerParams::towers), texts of classes (`class_template`, `needs_class_texts`) or
// one of the roles that it declares (`on_linear` and its like) and the family has none. Where it
// declares no role it is tried.
[[nodiscard]] std::string why_not_on(const Subject& subject, ToyFamily family);

// A property that is checked on CLIP, then on every other family where the method is looked at;
// what it throws there has the family's name.
using FamilyCheck = void (*)(const Subject& subject, ToyFamily family);
[[nodiscard]] Property on_families(std::string name, std::string statement, FamilyCheck check);

// One a family: it attaches to it exactly where it declares so. Skipped, with the reason, where it
// does not.
[[nodiscard]] std::vector<Property> family_properties();

}  // namespace espalier::conformance
