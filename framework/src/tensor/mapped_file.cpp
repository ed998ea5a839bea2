#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <espalier/core/descriptor.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/lfs_pointer.hpp>
#include <espalier/tensor/mapped_file.hpp>

namespace espalier {
namespace {

[[noreturn]] void refuse_to_map(const std::filesystem::path& file, std::string found) {
  throw Error({.what = "cannot map a file",
               .where = file.string(),
               .expected = "a readable regular file",
               .found = std::move(found),
               .fix = {}});
}

}  // namespace

std::shared_ptr<MappedFile> MappedFile::open(const std::filesystem::path& file) {
  // Without O_NONBLOCK opening a pipe would wait for its writer.
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0)
    refuse_to_map(file, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) refuse_to_map(file, "a folder");
  if (!S_ISREG(status.st_mode)) refuse_to_map(file, "not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return std::shared_ptr<MappedFile>(new MappedFile(nullptr, 0));
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor.get(), 0);
  if (data == MAP_FAILED) refuse_to_map(file, std::strerror(errno));
  const std::shared_ptr<MappedFile> mapped(new MappedFile(static_cast<std::byte*>(data), size));
  refuse_lfs_pointer(file, {static_cast<const char*>(data), size});
  ::madvise(data, size, MADV_WILLNEED);
  return mapped;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace espalier
