#include <espalier/core/left_out.hpp>

#include <algorithm>
#include <string>

namespace espalier {
namespace {

constexpr std::string_view of_systems[] = {
    "thumbs.db",   "desktop.ini",  "@eadir",
    "#recycle",    "$recycle.bin", "__macosx",
    "__pycache__", "lost+found",   "system volume information"};
constexpr std::string_view about_the_rest[] = {"readme",  "license",   "licence",
                                               "copying", "changelog", "notice"};
constexpr std::string_view endings_of_texts[] = {"", ".txt", ".md", ".rst", ".html", ".pdf"};

template <std::size_t n>
bool is_one_of(const std::string_view (&list)[n], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

}  // namespace

bool is_left_out(std::string_view name) {
  if (name.starts_with('.')) return true;
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::string_view text = lower;
  const std::size_t dot = std::min(text.find('.'), text.size());
  return is_one_of(of_systems, text) || (is_one_of(about_the_rest, text.substr(0, dot)) &&
                                         is_one_of(endings_of_texts, text.substr(dot)));
}

}  // namespace espalier
