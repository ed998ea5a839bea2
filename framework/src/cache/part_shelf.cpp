#include "cache/part_shelf.hpp"

#include <sys/stat.h>

#include <utility>

namespace espalier {

PartShelf::Mark PartShelf::mark_of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino),
          static_cast<std::int64_t>(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

PartShelf::Opened PartShelf::open(const std::filesystem::path& file) {
  const Mark mark = mark_of(file);
  const auto kept = kept_.find(file);
  if (kept != kept_.end() && mark != Mark{} && kept->second.mark == mark) return kept->second.part;
  ++verified_;
  auto read = StagePart::open(file);
  if (auto* fault = std::get_if<StagePart::Fault>(&read)) return std::move(*fault);
  auto part = std::make_shared<const StagePart>(std::move(std::get<StagePart>(read)));
  kept_.insert_or_assign(file, Kept{mark, part});
  return part;
}

}  // namespace espalier
