// Values and numbers of trials as tables for people show them.
#pragma once

#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Components as `gcn(layers=1)`, other sections as `attend=image, fuse=cross_attention`, lists of
// either in brackets, null as `-`; characters that a terminal may show.
[[nodiscard]] std::string plain(const Json& value);

// Numbers by value, before texts; what an axis makes no difference to comes last.
[[nodiscard]] bool value_before(const Json& a, const Json& b);

// Whether a field of trial_fields() is a share of something, which is shown in percent.
[[nodiscard]] bool is_share(std::string_view metric);
// Shares in percent with one decimal, other numbers with six digits.
[[nodiscard]] std::string number_text(std::string_view metric, double value);

using Lines = std::vector<std::vector<std::string>>;
// Lines of as many cells each, in columns, two spaces before each.
[[nodiscard]] std::string aligned(const Lines& lines);

}  // namespace espalier
