#include <espalier/core/builtin.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <espalier/dataset/split_file.hpp>
#include <spdlog/logger.h>
#include <unordered_set>
#include <utility>

#include "text/unicode.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_listed = 10;

Problem problem(std::string what, const fs::path& where, std::string expected, std::string found,
                std::string fix) {
  return {.what = std::move(what),
          .where = where.string(),
          .expected = std::move(expected),
          .found = std::move(found),
          .fix = std::move(fix)};
}

void check_ids(const fs::path& root, const std::vector<Sample>& samples, Problems& problems) {
  ListProblems list(problems);
  std::unordered_set<std::string_view> seen;
  for (const Sample& sample : samples) {
    if (seen.insert(sample.id).second) continue;
    list.add(problem("a photo is listed twice", root, "each photo once, in one split", sample.id,
                     "remove one of the entries"));
  }
}

// Names are stored as ids in files of UTF-8, so photos whose names are none cannot be used.
void drop_unnameable(const fs::path& root, Unreadable policy, spdlog::logger& log,
                     std::vector<Sample>& samples, Problems& problems) {
  ListProblems list(problems);
  const auto unnameable = [&](const Sample& sample) {
    if (!unicode::first_invalid_byte(sample.id)) return false;
    const std::string name = printable(sample.id);
    if (policy == Unreadable::skip) {
      log.error("a photo is left out, since its name is not UTF-8: {}", name);
    } else {
      list.add(problem("the name of a photo is not UTF-8", root, "a name in UTF-8", name,
                       "rename it, or set unreadable: skip"));
    }
    return true;
  };
  std::erase_if(samples, unnameable);
}

void check_counts(const fs::path& root, const PhotoList& list, Problems& problems) {
  if (list.samples.empty()) return;
  const bool official = list.samples[0].split != Split::none;
  std::vector<std::int64_t> counts(list.class_names.size());
  for (const Sample& sample : list.samples) {
    const bool known = sample.label >= 0 && sample.label < std::ssize(counts);
    const bool counted = !official || sample.split == Split::train;
    if (known && counted) ++counts[static_cast<std::size_t>(sample.label)];
  }
  ListProblems few(problems);
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] >= list.least_photos) continue;
    few.add(problem("class \"" + printable(list.class_names[c]) + "\" has too few photos", root,
                    "at least " + std::to_string(list.least_photos) + (official ? " in train" : ""),
                    std::to_string(counts[c]) + " that can be read", {}));
  }
}

// The parameter that chooses the file, or what lies in the root.
fs::path coop_file_of(const ArchiveParams& params, const fs::path& root,
                      const ArchiveLayout& layout) {
  if (params.split == "official") return {};
  if (!params.split_file.text.empty()) return resolve_path(params.split_file.text);
  const fs::path inside = root / layout.coop_file;
  return params.split == "coop" || fs::exists(inside) ? inside : fs::path();
}

fs::path existing_folder(const ContentPath& path) {
  fs::path root = resolve_path(path.text);
  if (fs::is_directory(root)) return root;
  throw Error(problem("the data folder is not there", root, "the unpacked archive",
                      fs::exists(root) ? "a file" : "nothing", {}));
}

}  // namespace

ListProblems::~ListProblems() {
  if (count_ <= most_listed) return;
  problems_.add({.what = std::to_string(count_ - most_listed) + " more problems of this kind",
                 .where = where_,
                 .expected = {},
                 .found = {},
                 .fix = {}});
}

void ListProblems::add(Problem problem) {
  if (++count_ > most_listed) return;
  where_ = problem.where;
  problems_.add(std::move(problem));
}

PhotoDataset::PhotoDataset(fs::path root, PhotoList list, Unreadable policy, bool upright,
                           Problems problems, const RunContext& context)
    : root_(std::move(root)), list_(std::move(list)), upright_(upright) {
  check_ids(root_, list_.samples, problems);
  drop_unnameable(root_, policy, context.log(), list_.samples, problems);
  std::vector<fs::path> files;
  for (const Sample& sample : list_.samples) files.push_back(root_ / sample.id);
  const std::vector<bool> good = check_images(files, policy, context.log(), problems);
  std::size_t next = 0;
  std::erase_if(list_.samples, [&](const Sample&) { return !good[next++]; });
  if (list_.samples.empty() && problems.empty()) {
    problems.add(problem("the dataset has no photos", root_, "at least one", "none", {}));
  }
  check_counts(root_, list_, problems);
  problems.throw_if_any();
}

const std::vector<std::string>& PhotoDataset::class_names() const { return list_.class_names; }

const std::vector<Sample>& PhotoDataset::samples() const { return list_.samples; }

Image PhotoDataset::image(std::size_t index) const {
  DecodeOptions options;
  options.upright = upright_;
  return read_image(root_ / list_.samples.at(index).id, options);
}

void bind(Schema<ArchiveParams>& s) {
  s.field("root", &ArchiveParams::root).required().doc("Folder that the archive was unpacked to");
  s.field("split", &ArchiveParams::split)
      .choices({"auto", "official", "coop"})
      .doc("The archive's own splits, or CoOp's; auto: CoOp's where its file is there");
  s.field("split_file", &ArchiveParams::split_file)
      .only_if("split != 'official'")
      .doc("CoOp's split_zhou_*.json, where it is not in the root");
  s.field("unreadable", &ArchiveParams::unreadable)
      .choices({"stop", "skip"})
      .doc("What to do about photos that are missing or damaged: refuse the data or go without");
  s.field("upright", &ArchiveParams::upright)
      .doc("Turn photos as their EXIF orientation says; image processors do not");
}

struct ArchiveDataset::Found {
  fs::path root;
  PhotoList list;
  Problems problems;

  Found(const ArchiveParams& params, const ArchiveLayout& layout)
      : root(existing_folder(params.root)) {
    const fs::path coop = coop_file_of(params, root, layout);
    list = coop.empty() ? layout.official(root, problems)
                        : read_split_file(coop, layout.photo_folder, problems);
  }
};

ArchiveDataset::ArchiveDataset(const ArchiveParams& params, const ArchiveLayout& layout,
                               const RunContext& context)
    : ArchiveDataset(Found(params, layout), params, context) {}

ArchiveDataset::ArchiveDataset(Found found, const ArchiveParams& params, const RunContext& context)
    : PhotoDataset(std::move(found.root), std::move(found.list),
                   params.unreadable == "skip" ? Unreadable::skip : Unreadable::stop,
                   params.upright, std::move(found.problems), context) {}

}  // namespace espalier
