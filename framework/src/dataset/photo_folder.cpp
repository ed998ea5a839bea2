#include <espalier/dataset/photo_folder.hpp>

#include <algorithm>
#include <espalier/core/folder_walk.hpp>
#include <espalier/core/left_out.hpp>
#include <espalier/core/printable.hpp>
#include <map>
#include <set>
#include <utility>

#include "text/unicode.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!is_left_out(entry->path().filename().string())) found.push_back(entry->path());
  }
  return found;
}

// What is not ASCII as `\xc3`, so that one sees where names that look the same differ.
std::string bytes_of(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = static_cast<signed char>(c) >= 0;
    text += plain ? std::string(1, c) : printable(std::string_view(&c, 1));
  }
  return text;
}

std::string quoted_list(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    const std::string shown = printable(name), bytes = bytes_of(name);
    text += (text.empty() ? "\"" : ", \"") + shown + "\"";
    if (bytes != shown) text += " (" + bytes + ")";
  }
  return text;
}

}  // namespace

std::optional<Split> split_named(std::string_view word) {
  const std::string_view split = split_word(word);
  if (split.empty()) return std::nullopt;
  return split == "train" ? Split::train : split == "val" ? Split::val : Split::test;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found = entries_of(folder, error);
  if (error) {
    throw Error({.what = "a folder cannot be read",
                 .where = folder.string(),
                 .expected = {},
                 .found = error.message(),
                 .fix = {}});
  }
  std::erase_if(found, [](const fs::path& entry) {
    std::error_code unknown;
    return !fs::is_directory(entry, unknown);
  });
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  const std::optional<std::vector<FoundFile>> files = files_in(folder);
  if (!files) return {folder};
  std::vector<fs::path> paths;
  for (const FoundFile& file : *files) paths.push_back(folder / file.name);
  return paths;
}

std::string spoken_name(std::string_view text) {
  if (unicode::first_invalid_byte(text)) return std::string(text);
  std::string name;
  for (const char c : unicode::nfc(text)) {
    const bool space = c == ' ' || c == '_';
    if (!space) name += c;
    if (space && !name.empty() && name.back() != ' ') name += ' ';
  }
  if (name.ends_with(' ')) name.pop_back();
  return name;
}

void check_class_names(const std::vector<std::string>& names, const fs::path& where,
                       Problems& problems) {
  std::map<std::string, std::set<std::string>> alike;
  for (const std::string& name : names) alike[spoken_name(name)].insert(name);
  for (const auto& [spoken, names_alike] : alike) {
    if (unicode::first_invalid_byte(spoken)) {
      problems.add({.what = "the name of a class is not UTF-8",
                    .where = where.string(),
                    .expected = "a name in UTF-8",
                    .found = quoted_list(names_alike),
                    .fix = "rename it"});
    }
    if (spoken.empty()) {
      problems.add({.what = "the name of a class is empty",
                    .where = where.string(),
                    .expected = "a name with letters",
                    .found = quoted_list(names_alike),
                    .fix = "rename it"});
    }
    if (names_alike.size() == 1) continue;
    problems.add({.what = "names of classes that look the same",
                  .where = where.string(),
                  .expected = "one way of writing \"" + printable(spoken) + "\"",
                  .found = quoted_list(names_alike),
                  .fix = "write them alike where they are one class, else tell them apart by more "
                         "than spaces, underscores or the form of accents"});
  }
}

}  // namespace espalier
