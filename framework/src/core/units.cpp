#include <espalier/core/units.hpp>

#include <charconv>
#include <cmath>
#include <cstdio>

namespace espalier {
namespace {

constexpr std::string_view prefixes = "kmgt";
constexpr double largest = 4611686018427387904.0;  // 2^62

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// What a unit multiplies by; empty where it is none.
std::optional<double> factor_of(std::string_view unit) {
  std::string text;
  for (const char c : unit) text += lower(c);
  if (!text.empty() && text.back() == 'b') text.pop_back();
  if (text.empty()) return 1;
  const std::size_t power = prefixes.find(text[0]);
  const bool binary = text.size() == 2 && text[1] == 'i';
  if (power == std::string_view::npos || (text.size() > 1 && !binary)) return std::nullopt;
  return std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power + 1));
}

}  // namespace

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.size() > 1 && text[0] == ' ') text.remove_prefix(1);
  const std::optional<double> factor = factor_of(text);
  const double bytes = factor ? number * *factor : -1;
  if (!std::isfinite(bytes) || std::signbit(bytes) || bytes > largest) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(bytes));
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  std::size_t power = 0;
  while (value >= 999.95 && power < prefixes.size()) {
    value /= 1000;
    ++power;
  }
  char text[32];
  const char prefix = "kMGT"[power - 1];
  std::snprintf(text, sizeof text, "%.1f %cB", value, prefix);
  return text;
}

}  // namespace espalier
