// Words, and lists of them, as messages show them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// `a, b, c`; empty where there are none.
[[nodiscard]] std::string joined(const std::vector<std::string>& words,
                                 std::string_view separator = ", ");

// The known name nearest to `word` by edit distance, if it is near enough to be meant.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view word,
                                                      const std::vector<std::string>& known);

// `did you mean "NAME"?` with the nearest name between `before` and `after`, or nothing where none
// is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                                       std::string_view before = {}, std::string_view after = {});

[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace espalier
