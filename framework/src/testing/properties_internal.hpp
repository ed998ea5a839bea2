// The properties by kind, one file each.
#pragma once

#include <espalier/testing/conformance.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::conformance {

[[nodiscard]] std::vector<Property> schema_properties();
[[nodiscard]] std::vector<Property> dataset_properties();
[[nodiscard]] std::vector<Property> captioner_properties();
[[nodiscard]] std::vector<Property> encoder_properties();
[[nodiscard]] std::vector<Property> graph_properties();
[[nodiscard]] std::vector<Property> gnn_properties();
[[nodiscard]] std::vector<Property> peft_properties();
// Those of `peft` about what a method leaves behind.
[[nodiscard]] std::vector<Property> adapter_properties();

// `unseen:FIELD` declares that a parameter matters although small inputs do not show it.
inline constexpr std::string_view unseen = "unseen:";

// Whether the component says in so many words that it cannot do this here: a precision that the
// machine has not, a file that is not there. Anything else that it throws is for the properties.
[[nodiscard]] bool refuses(const Subject& subject);

// Whether training, which draws or does not, gave the bits that are given outside.
inline void expect_drawn_if_other(bool same, bool drawn) {
  expect(same || drawn,
         "in training it computes otherwise, and draws nothing from the mode's stream");
}

// Where a setting stands that no user has written.
inline const Locator nowhere = [](std::string_view) { return std::string(); };

// UTF-8 without a NUL.
[[nodiscard]] bool is_plain_text(const std::string& text);

}  // namespace espalier::conformance
