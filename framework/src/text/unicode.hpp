// What tokenizers and tables ask of Unicode, answered by utf8proc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace espalier::unicode {

// Position of the first byte that is not UTF-8.
[[nodiscard]] std::optional<std::size_t> first_invalid_byte(std::string_view text);
[[nodiscard]] bool is_ascii(std::string_view text);

// Cells of a terminal that a text takes: two of a wide character, none of a combining one. Of what is
// not UTF-8, its bytes.
[[nodiscard]] std::size_t cells(std::string_view text);

// The character that starts at `at`, which moves behind it. The text is UTF-8.
[[nodiscard]] char32_t next(std::string_view text, std::size_t& at);
void append(std::string& text, char32_t c);

[[nodiscard]] std::string nfc(std::string_view text);
[[nodiscard]] std::string nfd(std::string_view text);

[[nodiscard]] bool is_letter(char32_t c);       // L*
[[nodiscard]] bool is_number(char32_t c);       // N*
[[nodiscard]] bool is_space(char32_t c);        // White_Space
[[nodiscard]] bool is_punctuation(char32_t c);  // P*, and all of ASCII that is no letter or digit
[[nodiscard]] bool is_other(char32_t c);        // Cc, Cf, Co, Cs
[[nodiscard]] bool is_nonspacing_mark(char32_t c);  // Mn
[[nodiscard]] bool is_ideograph(char32_t c);        // the blocks that BERT sets apart

// Lower case without context: one character, or two for U+0130.
void append_lower(std::string& text, char32_t c);

}  // namespace espalier::unicode
