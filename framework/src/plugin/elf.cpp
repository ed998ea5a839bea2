#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <espalier/core/error.hpp>
#include <optional>
#include <vector>

#include "elf_internal.hpp"

namespace espalier {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half this_machine = EM_AARCH64;
#else
#error "name this processor's ELF machine number here"
#endif

constexpr std::uint64_t section_count_limit = 1 << 16;
constexpr std::uint64_t names_limit = 1 << 22;

class ElfFile {
 public:
  explicit ElfFile(const std::filesystem::path& file)
      : file_(file), fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (fd_ < 0 || ::fstat(fd_, &status) != 0)
      fail("a plugin cannot be read", std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail("a plugin is not a regular file", {});
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;
  ~ElfFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  std::optional<std::string> section(std::string_view name, std::size_t limit) const {
    const std::vector<Elf64_Shdr> headers = section_headers();
    if (headers.empty()) return {};
    const std::string names = section_names(headers);
    for (const Elf64_Shdr& header : headers) {
      if (!named(names, header.sh_name, name) || header.sh_type == SHT_NOBITS) continue;
      if (header.sh_size > limit) damaged("section " + std::string(name) + " is too large");
      std::string bytes(header.sh_size, '\0');
      read(bytes.data(), header.sh_offset, header.sh_size);
      return bytes;
    }
    return {};
  }

 private:
  [[noreturn]] void fail(const std::string& what, std::string found) const {
    throw Error({.what = what,
                 .where = file_.string(),
                 .expected = {},
                 .found = std::move(found),
                 .fix = "remove the file, or build or copy the plugin again"});
  }
  [[noreturn]] void damaged(std::string found) const {
    fail("a plugin is damaged", std::move(found));
  }

  void read(void* to, std::uint64_t offset, std::uint64_t count) const {
    if (offset > size_ || count > size_ - offset) damaged("it ends too early");
    auto* bytes = static_cast<char*>(to);
    while (count > 0) {
      const ssize_t got = ::pread(fd_, bytes, count, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("a plugin cannot be read", std::strerror(errno));
      if (got == 0) damaged("it ends too early");
      bytes += got;
      offset += static_cast<std::uint64_t>(got);
      count -= static_cast<std::uint64_t>(got);
    }
  }

  Elf64_Ehdr file_header() const {
    Elf64_Ehdr header{};
    if (size_ < sizeof header) fail("a plugin is no shared library", "a file that is too short");
    read(&header, 0, sizeof header);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
      fail("a plugin is no shared library", "a file that does not begin as an ELF file does");
    }
    const bool fits = header.e_ident[EI_CLASS] == ELFCLASS64 &&
                      header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_machine == this_machine;
    if (!fits)
      fail("a plugin is for another processor", "ELF machine " + std::to_string(header.e_machine));
    return header;
  }

  // The section with the names is moved to the front.
  std::vector<Elf64_Shdr> section_headers() const {
    const Elf64_Ehdr header = file_header();
    if (header.e_shoff == 0) return {};
    if (header.e_shentsize != sizeof(Elf64_Shdr)) damaged("section headers of a wrong size");
    // Counts that do not fit the file header are kept in the first section header.
    Elf64_Shdr first{};
    read(&first, header.e_shoff, sizeof first);
    const std::uint64_t count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;
    const std::uint64_t names = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : first.sh_link;
    if (count > section_count_limit || names >= count) damaged("impossible section counts");
    std::vector<Elf64_Shdr> headers(count);
    read(headers.data(), header.e_shoff, count * sizeof first);
    std::swap(headers.front(), headers[names]);
    return headers;
  }

  std::string section_names(const std::vector<Elf64_Shdr>& headers) const {
    const Elf64_Shdr& header = headers.front();
    if (header.sh_type != SHT_STRTAB || header.sh_size > names_limit) damaged("no section names");
    std::string names(header.sh_size, '\0');
    read(names.data(), header.sh_offset, header.sh_size);
    return names;
  }

  static bool named(std::string_view names, std::uint64_t offset, std::string_view name) {
    if (offset >= names.size()) return false;
    const std::string_view rest = names.substr(offset);
    return rest.substr(0, rest.find('\0')) == name;
  }

  std::filesystem::path file_;
  int fd_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::optional<std::string> elf_section(const std::filesystem::path& file, std::string_view name,
                                       std::size_t limit) {
  return ElfFile(file).section(name, limit);
}

}  // namespace espalier
