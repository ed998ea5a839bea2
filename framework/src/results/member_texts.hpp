// The members of a JSON object whose values are not read yet, for lines of which little is needed.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// Key and value in order, as they are written; the key without its quotes.
using MemberTexts = std::vector<std::pair<std::string_view, std::string_view>>;

// Of an object that is written without white space, and keys without escapes, as canonical JSON is;
// none of other texts. Whether the values are sound, their reader must see.
[[nodiscard]] MemberTexts member_texts(std::string_view object);

}  // namespace espalier
