// Text from outside, as a terminal may show it.
//
// Names of classes and files, identifiers and what plugins say can hold anything: sequences that
// drive the terminal, line feeds that forge output, marks that turn the direction of reading.
#pragma once

#include <string>
#include <string_view>

namespace espalier {

// On one line: control characters (C0, DEL, C1), line and paragraph separators and marks of
// direction become `\n`, `\t`, `\x1b` or `\u202e`, bytes that are no UTF-8 `\xff`.
[[nodiscard]] std::string printable(std::string_view text);

// The same of each line; line feeds stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

// JSON with the same characters escaped as JSON does, `\u001b`; line feeds between values stay.
[[nodiscard]] std::string printable_json(std::string_view json);

}  // namespace espalier
