#include <espalier/core/folder_walk.hpp>

#include <dirent.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/left_out.hpp>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_entries = 5'000'000;

std::optional<std::vector<std::string>> children(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), ::closedir);
  if (!stream) return std::nullopt;
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (!is_left_out(entry->d_name)) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Links to folders wait until all real ones are searched, so that none takes the place of another.
class Walk {
 public:
  explicit Walk(std::string root) : root_(std::move(root)) {
    std::error_code error;
    close_above(fs::absolute(root_, error).lexically_normal());
    close_above(fs::canonical(root_, error));
  }

  std::optional<std::vector<FoundFile>> run() {
    if (!enter("")) return std::nullopt;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const std::string link = links_[i];
      if (!enter(link + "/")) found_.push_back({link, std::nullopt, searched_as(link)});
    }
    std::sort(found_.begin(), found_.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.name < b.name; });
    return std::move(found_);
  }

 private:
  using Id = std::pair<dev_t, ino_t>;

  // A link to a folder above leads in a circle, and on its way into other classes.
  void close_above(fs::path folder) {
    while (folder.has_relative_path()) {
      folder = folder.parent_path();
      struct stat status {};
      if (::stat(folder.c_str(), &status) == 0)
        searched_.emplace(Id(status.st_dev, status.st_ino), "");
    }
  }

  // False where the folder was searched before, or cannot be.
  bool enter(const std::string& below) {
    struct stat status {};
    if (::stat(path(below).c_str(), &status) != 0) return false;
    const std::string name = below.substr(0, below.rfind('/'));
    if (!searched_.emplace(Id(status.st_dev, status.st_ino), name).second) return false;
    const auto names = children(path(below));
    if (!names) return false;
    for (const std::string& child : *names) look(below + child);
    return true;
  }

  void look(const std::string& name) {
    if (++entries_ > most_entries) {
      throw Error({.what = "a folder has more than 5,000,000 files",
                   .where = root_,
                   .expected = {},
                   .found = {},
                   .fix = {}});
    }
    struct stat status {
    }, link{};
    const bool there = ::stat(path(name).c_str(), &status) == 0;
    if (!there || !S_ISDIR(status.st_mode)) {
      found_.push_back({name});
      if (there && S_ISREG(status.st_mode)) found_.back().status = status;
    } else if (::lstat(path(name).c_str(), &link) == 0 && S_ISLNK(link.st_mode)) {
      links_.push_back(name);
    } else if (!enter(name + "/")) {
      found_.push_back({name});
    }
  }

  [[nodiscard]] std::string searched_as(const std::string& link) const {
    struct stat status {};
    if (::stat(path(link).c_str(), &status) != 0) return {};
    const auto known = searched_.find(Id(status.st_dev, status.st_ino));
    return known == searched_.end() || known->second == link ? std::string() : known->second;
  }

  [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }

  const std::string root_;
  std::size_t entries_ = 0;
  std::vector<FoundFile> found_;
  std::vector<std::string> links_;
  std::map<Id, std::string> searched_;  // and where each lies; no name: the folder or one above it
};

std::string_view first_part(std::string_view name) {
  const std::size_t end = name.find('/');
  return end == std::string_view::npos ? std::string_view() : name.substr(0, end);
}

// The upper two folders that a file lies in. Of a link, what it names is taken for a folder of
// folders.
std::pair<std::string_view, std::string_view> upper_folders(const FoundFile& file) {
  const std::string_view name = file.name, first = first_part(name);
  const bool link = !file.same_as.empty();
  if (first.empty()) return link ? std::pair(name, name) : std::pair(first, first);
  const std::string_view rest = name.substr(first.size() + 1), second = first_part(rest);
  return {first, second.empty() && link ? rest : second};
}

}  // namespace

std::optional<std::vector<FoundFile>> files_in(const fs::path& folder) {
  return Walk(folder.string()).run();
}

std::string_view split_word(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"train", "train"},    {"training", "train"}, {"val", "val"},     {"valid", "val"},
      {"validation", "val"}, {"test", "test"},      {"testing", "test"}};
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const auto& [word, split] : words) {
    if (word == lower) return split;
  }
  return {};
}

void keep_class_folders(std::vector<FoundFile>& files) {
  std::set<std::string_view> splits;
  for (const FoundFile& file : files) {
    const std::string_view folder = upper_folders(file).first;
    if (!split_word(folder).empty()) splits.insert(folder);
  }
  const bool split = splits.size() >= 2;
  std::erase_if(files, [&](const FoundFile& file) {
    const auto [first, second] = upper_folders(file);
    return split ? split_word(first).empty() || second.empty() : first.empty();
  });
}

}  // namespace espalier
