// Content hashes: what a path parameter contributes to the identity of a trial.
//
// A file counts by its bytes: SHA-256 of them. A folder counts by the files in it, at any depth:
// SHA-256 of one record a file, in ascending order of NAME by bytes,
//
//   NAME, a zero byte, the file's SHA-256 in hexadecimal, a line feed
//
// where NAME is the path below the folder with "/" between its parts. What is_left_out()
// (core/left_out.hpp) is left out, with everything below it. Symbolic links count as what they lead
// to; a folder counts once, and another link to it has `=` and where that lies for its digest. What
// is no file then - a link that leads nowhere or above the folder, a pipe, a device, a folder that
// may not be read - has `-`: whether one can do without it, who reads the data must say. Names of
// folders, dates, owners and permissions do not count.
#pragma once

#include <chrono>
#include <cstdint>
#include <espalier/core/folder_walk.hpp>
#include <espalier/core/hash.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace espalier {

// What of a folder counts: all of it, or what lies in folders of classes alone
// (keep_class_folders()), for who reads no other files. A parameter says so by
// kind("class_folders") in its bind().
enum class ContentScope { all, class_folders };

// What a path held, and the mark that its files then had: of their names, sizes, times and inodes.
// Whoever writes to one of them, replaces, adds or removes one leaves another mark.
struct HashedContent {
  Digest digest{};
  std::uint64_t mark = 0;
  ContentScope scope = ContentScope::all;
};

// The mark of a path now, without reading its files. Throws Error as ContentHasher::content().
[[nodiscard]] std::uint64_t content_mark(const std::filesystem::path& path,
                                         ContentScope scope = ContentScope::all);

// Hashes files and folders, and reads no file again whose size, times and inode are what they were.
//
// A file that changed less than `settle` before it was hashed is not remembered: its clock could
// not tell another change from the first.
class ContentHasher {
 public:
  // Files hashed so far and files of the folder at hand.
  using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

  // Remembers across runs in `cache`, which is read on first use; an empty path: in memory alone.
  explicit ContentHasher(std::filesystem::path cache = {}, Progress progress = {},
                         std::chrono::nanoseconds settle = std::chrono::seconds(2));

  // Throws Error that names the file on a file that cannot be read, one that somebody writes to
  // meanwhile, what is itself neither file nor folder, and folders of more than 5,000,000 entries.
  [[nodiscard]] HashedContent content(const std::filesystem::path& path,
                                      ContentScope scope = ContentScope::all);
  [[nodiscard]] Digest digest(const std::filesystem::path& path,
                              ContentScope scope = ContentScope::all) {
    return content(path, scope).digest;
  }
  // What content() said of a path last; empty where it was not asked.
  [[nodiscard]] std::optional<HashedContent> known(const std::filesystem::path& path,
                                                   ContentScope scope = ContentScope::all) const;

  // Writes what was learnt. False when the cache cannot be written, which costs time alone.
  bool save();

 private:
  struct Entry {
    Digest digest{};
    std::int64_t size = 0;
    std::int64_t modified = 0;  // nanoseconds since 1970
    std::int64_t changed = 0;
    std::uint64_t inode = 0;

    static Entry of(const FoundFile& file);
    [[nodiscard]] bool same_file(const Entry& other) const;
    [[nodiscard]] std::uint64_t mark(std::string_view name) const;
  };
  friend std::uint64_t content_mark(const std::filesystem::path& path, ContentScope scope);

  void load();
  [[nodiscard]] Entry file_entry(const std::string& path);
  [[nodiscard]] HashedContent folder_content(const std::string& folder, ContentScope scope);

  std::filesystem::path cache_;
  Progress progress_;
  std::chrono::nanoseconds settle_;
  std::unordered_map<std::string, Entry> entries_;                       // by absolute path
  std::map<std::pair<std::string, ContentScope>, HashedContent> known_;  // of this process
  bool loaded_ = false;
  bool learnt_ = false;
};

}  // namespace espalier
