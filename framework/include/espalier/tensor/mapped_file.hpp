// A file in memory without reading it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

namespace espalier {

// The mapping is private and writable: writing to it copies the page and never reaches the file.
class MappedFile {
 public:
  // Throws Error when `file` is absent, unreadable or not a regular file.
  static std::shared_ptr<MappedFile> open(const std::filesystem::path& file);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  MappedFile(std::byte* data, std::size_t size) : data_(data), size_(size) {}

  std::byte* data_;
  std::size_t size_;
};

}  // namespace espalier
