// What a condition of an experiment can mean, known before any trial is looked at.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/predicate.hpp>
#include <espalier/plugin/catalog.hpp>
#include <string>

namespace espalier {

// Adds a problem for each key, component, choice and capability that nothing has, with the nearest
// name, and for each comparison of a key with a value of another type.
void check_condition(const Predicate& condition, const std::string& where, const Catalog& catalog,
                     Problems& problems);

}  // namespace espalier
