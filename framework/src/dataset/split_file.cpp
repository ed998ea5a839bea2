#include <algorithm>
#include <array>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/dataset/split_file.hpp>
#include <map>

namespace espalier {
namespace {

struct Part {
  const char* key;
  Split split;
};

constexpr std::array parts{Part{"train", Split::train}, Part{"val", Split::val},
                           Part{"test", Split::test}};

constexpr std::int64_t max_classes = 1 << 20;

class SplitReader {
 public:
  SplitReader(const std::filesystem::path& file, const std::string& photo_folder,
              Problems& problems)
      : file_(file.string()), photo_folder_(photo_folder), problems_(problems) {}

  PhotoList read(const Json& root) {
    for (const Part& part : parts) {
      const bool there = root.is_object() && root.contains(part.key);
      if (!there || !root[part.key].is_array()) {
        wrong(std::string("no list \"") + part.key + "\"", R"([[path, label, class name], ...])",
              there ? root[part.key].type_name() : "nothing");
        continue;
      }
      std::size_t number = 0;
      for (const Json& entry : root[part.key]) {
        add(entry, part.split, std::string(part.key) + "[" + std::to_string(number++) + "]");
      }
    }
    name_classes();
    return std::move(list_);
  }

 private:
  void wrong(std::string what, std::string expected, std::string found) {
    problems_.add({.what = std::move(what),
                   .where = file_,
                   .expected = std::move(expected),
                   .found = std::move(found),
                   .fix = {}});
  }

  void add(const Json& entry, Split split, const std::string& place) {
    const bool shaped = entry.is_array() && entry.size() == 3 && entry[0].is_string() &&
                        entry[1].is_number_integer() && entry[2].is_string();
    if (!shaped) {
      return wrong(place + " is no sample", "[path, label, class name]",
                   entry.dump().substr(0, 200));
    }
    const auto path = entry[0].get<std::string>();
    const auto label = entry[1].get<std::int64_t>();
    if (!is_inner_path(path)) {
      return wrong(place + " names a file outside of the folder", "a path below " + photo_folder_,
                   path);
    }
    if (label < 0 || label >= max_classes) {
      return wrong("the label of " + place + " is out of range", "0 or more",
                   std::to_string(label));
    }
    const std::string name = class_name_from(entry[2].get<std::string>());
    const auto [it, fresh] = names_.emplace(label, name);
    if (!fresh && it->second != name) {
      return wrong("label " + std::to_string(label) + " has two names", "\"" + it->second + "\"",
                   "\"" + name + "\" in " + place);
    }
    list_.samples.push_back({photo_folder_ + "/" + path, label, split});
  }

  void name_classes() {
    for (const auto& [label, name] : names_) {
      if (label != static_cast<std::int64_t>(list_.class_names.size())) {
        return wrong("labels are out of range",
                     "0 to " + std::to_string(names_.size() - 1) + ", for " +
                         std::to_string(names_.size()) + " classes",
                     std::to_string(label) + " (" + name + ")");
      }
      list_.class_names.push_back(name);
    }
  }

  std::string file_;
  std::string photo_folder_;
  ListProblems problems_;
  std::map<std::int64_t, std::string> names_;
  PhotoList list_;
};

}  // namespace

PhotoList read_split_file(const std::filesystem::path& file, const std::string& photo_folder,
                          Problems& problems) {
  return SplitReader(file, photo_folder, problems).read(parse_json(read_file(file), file.string()));
}

std::string class_name_from(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    if (c == '_') return ' ';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

bool is_inner_path(std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) return false;
  const std::filesystem::path path(text);
  return path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
}

}  // namespace espalier
