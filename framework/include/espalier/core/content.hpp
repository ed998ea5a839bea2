// Content hashes: what a path parameter contributes to the identity of a trial.
//
// A file counts by its bytes: SHA-256 of them. A folder counts by the files in it, at any depth:
// SHA-256 of one record a file, in ascending order of NAME by bytes,
//
//   NAME, a zero byte, the file's SHA-256 in hexadecimal, a line feed
//
// where NAME is the path below the folder with "/" between its parts. What is_left_out()
// (core/left_out.hpp) is left out, with everything below it. Symbolic links count as what they lead
// to. What is no file then - a link that leads nowhere or to a folder above itself, a pipe, a
// device, a folder that may not be read - has `-` for its digest: whether one can do without it,
// who reads the data must say. Names of folders, dates, owners and permissions do not count.
#pragma once

#include <chrono>
#include <cstdint>
#include <espalier/core/hash.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace espalier {

// What a path held, and the mark that its files then had: of their names, sizes, times and inodes.
// Whoever writes to one of them, replaces, adds or removes one leaves another mark.
struct HashedContent {
  Digest digest{};
  std::uint64_t mark = 0;
};

// The mark of a path now, without reading its files. Throws Error as ContentHasher::content().
[[nodiscard]] std::uint64_t content_mark(const std::filesystem::path& path);

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
  [[nodiscard]] HashedContent content(const std::filesystem::path& path);
  [[nodiscard]] Digest digest(const std::filesystem::path& path) { return content(path).digest; }
  // What content() said of a path last; empty where it was not asked.
  [[nodiscard]] std::optional<HashedContent> known(const std::filesystem::path& path) const;

  // Writes what was learnt. False when the cache cannot be written, which costs time alone.
  bool save();

 private:
  struct Entry {
    Digest digest{};
    std::int64_t size = 0;
    std::int64_t modified = 0;  // nanoseconds since 1970
    std::int64_t changed = 0;
    std::uint64_t inode = 0;

    [[nodiscard]] bool same_file(const Entry& other) const;
    [[nodiscard]] std::uint64_t mark(std::string_view name) const;
  };
  friend std::uint64_t content_mark(const std::filesystem::path& path);

  void load();
  [[nodiscard]] Entry file_entry(const std::string& path);
  [[nodiscard]] HashedContent folder_content(const std::filesystem::path& folder);

  std::filesystem::path cache_;
  Progress progress_;
  std::chrono::nanoseconds settle_;
  std::unordered_map<std::string, Entry> entries_;        // by absolute path
  std::unordered_map<std::string, HashedContent> known_;  // of this process, by absolute path
  bool loaded_ = false;
  bool learnt_ = false;
};

}  // namespace espalier
