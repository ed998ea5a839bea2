#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <memory>
#include <optional>

#include "unicode.hpp"

namespace espalier::unicode {
namespace {

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

std::string mapped(std::string_view text, int form) {
  utf8proc_uint8_t* raw = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | form);
  const utf8proc_ssize_t size =
      utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &raw, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, &std::free);
  ESPALIER_ASSERT(size >= 0, "utf8proc refused text that was checked before");
  return {reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size)};
}

}  // namespace

std::optional<std::size_t> first_invalid_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t width =
        utf8proc_iterate(bytes_of(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &c);
    if (width <= 0) return at;
    at += static_cast<std::size_t>(width);
  }
  return {};
}

std::size_t cells(std::string_view text) {
  if (first_invalid_byte(text)) return text.size();
  std::size_t sum = 0;
  for (std::size_t at = 0; at < text.size();) {
    sum +=
        static_cast<std::size_t>(utf8proc_charwidth(static_cast<utf8proc_int32_t>(next(text, at))));
  }
  return sum;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char32_t next(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) {
    ++at;
    return first;
  }
  utf8proc_int32_t c = 0;
  const utf8proc_ssize_t width =
      utf8proc_iterate(bytes_of(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &c);
  ESPALIER_ASSERT(width > 0, "text that is not UTF-8 went unnoticed");
  at += static_cast<std::size_t>(width);
  return static_cast<char32_t>(c);
}

void append(std::string& text, char32_t c) {
  if (c < 0x80) {
    text.push_back(static_cast<char>(c));
    return;
  }
  utf8proc_uint8_t buffer[4];
  const utf8proc_ssize_t width = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), buffer);
  text.append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(width));
}

std::string nfc(std::string_view text) {
  // utf8proc 2.8 loses U+11A7 after a Hangul syllable. Nothing composes with it, so it is set
  // aside.
  constexpr std::string_view aside = "\u11A7";
  std::string out;
  for (std::size_t at = text.find(aside); at != std::string_view::npos; at = text.find(aside)) {
    out.append(mapped(text.substr(0, at), UTF8PROC_COMPOSE)).append(aside);
    text.remove_prefix(at + aside.size());
  }
  return out + mapped(text, UTF8PROC_COMPOSE);
}

std::string nfd(std::string_view text) { return mapped(text, UTF8PROC_DECOMPOSE); }

bool is_letter(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  const auto kind = category(c);
  return c == 0x85 || (kind >= UTF8PROC_CATEGORY_ZS && kind <= UTF8PROC_CATEGORY_ZP);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  }
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

bool is_other(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_CC && kind <= UTF8PROC_CATEGORY_CO;
}

bool is_nonspacing_mark(char32_t c) { return category(c) == UTF8PROC_CATEGORY_MN; }

bool is_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

void append_lower(std::string& text, char32_t c) {
  if (c == 0x130) {
    text += "i\u0307";
  } else {
    append(text, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

}  // namespace espalier::unicode
