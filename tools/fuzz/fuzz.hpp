// What every fuzz target needs. An espalier::Error is the right answer to damaged input; any other
// exception, a crash or a sanitizer's report is a finding.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace espalier::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What is before the first zero byte, and what is behind it.
inline std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

// A file in memory with the given bytes, for what a user names; Espalier's own files are in an
// InputFolder, for they must not be links as this one is.
class InputFile {
 public:
  explicit InputFile(std::string_view bytes) : fd_(::memfd_create("input", 0)) {
    if (fd_ < 0 || ::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { ::close(fd_); }

  [[nodiscard]] std::filesystem::path path() const {
    return "/proc/self/fd/" + std::to_string(fd_);
  }

 private:
  int fd_;
};

// One folder for the whole run, in memory where the system has such a place.
class InputFolder {
 public:
  InputFolder() : path_(std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp") {
    std::string name = (path_ / "fuzz_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  InputFolder(const InputFolder&) = delete;
  InputFolder& operator=(const InputFolder&) = delete;
  ~InputFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void put(const std::filesystem::path& name, std::string_view bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }
  // What is between zero bytes under these names; there is no file where nothing is.
  void put_parts(std::initializer_list<const char*> names, std::string_view text) const {
    for (const char* name : names) {
      const auto [part, rest] = halves(text);
      text = rest;
      std::filesystem::remove(path_ / name);
      if (!part.empty()) put(name, part);
    }
  }

 private:
  std::filesystem::path path_;
};

template <class Read>
int accept_or_refuse(const Read& read) try {
  read();
  return 0;
} catch (const Error&) {
  return 0;
}

}  // namespace espalier::fuzz
