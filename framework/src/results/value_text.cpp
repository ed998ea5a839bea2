#include "results/value_text.hpp"
#include <algorithm>
#include <cstdio>
#include <espalier/core/printable.hpp>

#include "text/unicode.hpp"

namespace espalier {

namespace {

std::string params_of(const Json& section) {
  std::string text;
  for (const auto& [key, param] : section.items()) {
    if (key == "use") continue;
    const bool apart = param.is_object() && !param.contains("use");
    text += (text.empty() ? "" : ", ") + printable(key) + "=" +
            (apart ? "{" + params_of(param) + "}" : plain(param));
  }
  return text;
}

bool holds_sections(const Json& value) {
  return value.is_array() && std::ranges::any_of(value, &Json::is_object);
}

std::string list_of(const Json& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : ", ") + plain(value);
  return "[" + text + "]";
}

}  // namespace

std::string plain(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return printable(value.get<std::string>());
  if (holds_sections(value)) return list_of(value);
  if (!value.is_object()) return printable(value.dump());
  const std::string params = params_of(value);
  if (!value.contains("use")) return params.empty() ? "{}" : params;
  return plain(value.at("use")) + (params.empty() ? "" : "(" + params + ")");
}

bool value_before(const Json& a, const Json& b) {
  const auto rank = [](const Json& v) { return v.is_null() ? 2 : v.is_number() ? 0 : 1; };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (rank(a) == 0) return a.get<double>() < b.get<double>();
  return rank(a) == 1 && plain(a) < plain(b);
}

bool is_share(std::string_view metric) {
  return metric.find("_top") != std::string_view::npos ||
         metric.find("_macro_") != std::string_view::npos || metric.ends_with("_ece");
}

std::string number_text(std::string_view metric, double value) {
  char text[64];
  std::snprintf(text, sizeof text, is_share(metric) ? "%.1f" : "%.6g",
                is_share(metric) ? 100 * value : value);
  return text;
}

std::string aligned(const Lines& lines) {
  std::vector<std::size_t> widths(lines.empty() ? 0 : lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], unicode::cells(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      row += "  " + line[i] + std::string(widths[i] - unicode::cells(line[i]), ' ');
    }
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace espalier
