// Dotted keys into nested configurations.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// What a trial's configuration may hold: dataset, ..., protocol, ..., seed.
[[nodiscard]] const std::vector<std::string>& section_names();

// `gnn` of `gnn.layer.hops`.
[[nodiscard]] std::string_view section_of(std::string_view key);
[[nodiscard]] bool is_section(std::string_view name);
[[nodiscard]] bool is_component_kind(std::string_view name);

// Whether a plain name under this key chooses the section's `use`: components and the head.
[[nodiscard]] bool has_use(std::string_view section);

// Adds a problem, and is false, where a key is no dotted path of words or begins with no section.
bool check_key(const std::string& key, const std::string& where, Problems& problems);

// Sets a value. Names on the way become {"use": name}; a name set on a section, or on a value that
// has a `use`, sets that. False where another value is in the way.
bool set_value(Json& root, std::string_view key, Json value);

// False where there is nothing.
bool erase_value(Json& root, std::string_view key);

// `gnn` where `gnn.use` is meant: all values are names or globs.
[[nodiscard]] std::string axis_key(const std::string& key, const std::vector<Json>& values);

// Whether `key` is `parent` or below it.
[[nodiscard]] bool is_under(std::string_view key, std::string_view parent);

}  // namespace espalier
