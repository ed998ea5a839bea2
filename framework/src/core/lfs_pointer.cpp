#include <espalier/core/error.hpp>
#include <espalier/core/lfs_pointer.hpp>
#include <string>

namespace espalier {

void refuse_lfs_pointer(const std::filesystem::path& file, std::string_view bytes) {
  constexpr std::size_t longest_pointer = 1024;
  const bool pointer = bytes.size() < longest_pointer &&
                       bytes.starts_with("version https://git-lfs.github.com/spec/");
  if (!pointer) return;
  throw Error({.what = "a file was not fetched: Git LFS left a pointer in its place",
               .where = file.string(),
               .expected = "the file itself",
               .found = std::to_string(bytes.size()) + " bytes that name it",
               .fix = "run `git lfs pull` in its folder, or download the file by itself"});
}

}  // namespace espalier
