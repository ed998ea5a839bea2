// Comma-separated values as RFC 4180 has them, or separated by another character.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct CsvRow {
  std::int64_t line = 0;  // where it begins, from 1
  std::vector<std::string> fields;
};

// Fields may be quoted, and then hold commas, line breaks and doubled quotes. Line breaks are LF or
// CR LF; a byte order mark and empty lines are passed over. Throws Error, naming `origin` and the
// line, on a quote that is not closed, text around quotes, and bytes that are not UTF-8.
[[nodiscard]] std::vector<CsvRow> parse_csv(std::string_view text, std::string_view origin,
                                            char delimiter = ',');

}  // namespace espalier
