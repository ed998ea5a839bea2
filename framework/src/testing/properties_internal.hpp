// The properties by kind, one file each.
#pragma once

#include <espalier/testing/conformance.hpp>
#include <string>
#include <vector>

namespace espalier::conformance {

[[nodiscard]] std::vector<Property> schema_properties();
[[nodiscard]] std::vector<Property> dataset_properties();
[[nodiscard]] std::vector<Property> captioner_properties();
[[nodiscard]] std::vector<Property> encoder_properties();
[[nodiscard]] std::vector<Property> graph_properties();
[[nodiscard]] std::vector<Property> gnn_properties();
[[nodiscard]] std::vector<Property> peft_properties();

// UTF-8 without a NUL.
[[nodiscard]] bool is_plain_text(const std::string& text);

}  // namespace espalier::conformance
