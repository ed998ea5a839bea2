// A folder of photos for each class. docs/datasets-folder.md.
#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/image/image_check.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/dataset.hpp>
#include <filesystem>
#include <map>
#include <optional>

namespace {

namespace fs = std::filesystem;
using espalier::Problem;
using espalier::Problems;
using espalier::Split;

struct ImageFolderParams {
  espalier::ContentPath root;
  std::string unreadable = "stop";
  bool upright = false;
};

void bind(espalier::Schema<ImageFolderParams>& s) {
  s.field("root", &ImageFolderParams::root)
      .required()
      .doc("Folder with a folder of photos for each class, or with train, val and test of such");
  s.field("unreadable", &ImageFolderParams::unreadable)
      .choices({"stop", "skip"})
      .doc("What to do about files that are no whole pictures: refuse the data or leave them out");
  s.field("upright", &ImageFolderParams::upright)
      .doc("Turn photos as their EXIF orientation says; image processors do not");
}

// One class folder of one split.
struct ClassFolder {
  std::string name;
  fs::path path;
  Split split = Split::none;
};

struct Photo {
  fs::path path;
  std::string class_name;
  Split split = Split::none;
};

std::optional<Split> split_named(const std::string& name) {
  if (name == "train") return Split::train;
  if (name == "val" || name == "valid" || name == "validation") return Split::val;
  if (name == "test") return Split::test;
  return std::nullopt;
}

// Folders in `folder` that are not hidden, sorted by name.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const bool hidden = entry.path().filename().string().starts_with(".");
    if (!hidden && entry.is_directory()) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool counts_as_photo(const fs::path& file) {
  const std::string name = file.filename().string();
  return !name.starts_with(".") && name != "Thumbs.db" && name != "desktop.ini";
}

// Files at any depth, links that lead nowhere among them.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> found;
  constexpr auto follow = fs::directory_options::follow_directory_symlink;
  fs::recursive_directory_iterator entry(folder, follow), end;
  for (; entry != end; ++entry) {
    if (entry->path().filename().string().starts_with(".")) entry.disable_recursion_pending();
    if (!entry->is_directory() && counts_as_photo(entry->path())) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

// root/CLASS, or root/SPLIT/CLASS where there is `train` and another split.
std::vector<ClassFolder> class_folders(const fs::path& root) {
  const std::vector<fs::path> top = folders_in(root);
  std::vector<ClassFolder> found;
  const auto is_split = [](const fs::path& p) { return split_named(p.filename()).has_value(); };
  const bool official =
      fs::is_directory(root / "train") && std::count_if(top.begin(), top.end(), is_split) >= 2;
  for (const fs::path& folder : top) {
    if (!official) {
      found.push_back({spoken(folder.filename()), folder, Split::none});
    } else if (const auto split = split_named(folder.filename())) {
      for (const fs::path& inner : folders_in(folder)) {
        found.push_back({spoken(inner.filename()), inner, *split});
      }
    }
  }
  return found;
}

Problem problem(std::string what, const fs::path& where, std::string expected, std::string found) {
  return {.what = std::move(what),
          .where = where.string(),
          .expected = std::move(expected),
          .found = std::move(found),
          .fix = {}};
}

class ImageFolder final : public espalier::Dataset {
 public:
  using Params = ImageFolderParams;

  ImageFolder(const Params& params, const espalier::RunContext& context)
      : params_(params), root_(espalier::resolve_path(params.root.text)) {
    if (!fs::is_directory(root_)) {
      throw espalier::Error(problem("the data folder is not there", root_, "a folder",
                                    fs::exists(root_) ? "a file" : "nothing"));
    }
    try {
      load(context);
    } catch (const fs::filesystem_error& error) {
      throw espalier::Error(problem("the data folder cannot be read", root_, "", error.what()));
    }
  }

  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<espalier::Sample>& samples() const override { return samples_; }

  espalier::Image image(std::size_t index) const override {
    espalier::DecodeOptions options;
    options.upright = params_.upright;
    return espalier::read_image(root_ / samples_.at(index).id, options);
  }

 private:
  void load(const espalier::RunContext& context) {
    std::vector<Photo> photos;
    for (const ClassFolder& folder : class_folders(root_)) {
      names_.push_back(folder.name);
      for (fs::path& file : files_below(folder.path)) {
        photos.push_back({std::move(file), folder.name, folder.split});
      }
    }
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
    Problems problems;
    keep_readable(photos, context, problems);
    add_samples(photos);
    check_classes(problems);
    problems.throw_if_any();
  }

  void keep_readable(std::vector<Photo>& photos, const espalier::RunContext& context,
                     Problems& problems) const {
    std::vector<fs::path> files;
    for (const Photo& photo : photos) files.push_back(photo.path);
    const auto policy =
        params_.unreadable == "skip" ? espalier::Unreadable::skip : espalier::Unreadable::stop;
    const std::vector<bool> good = espalier::check_images(files, policy, context.log(), problems);
    std::size_t next = 0;
    std::erase_if(photos, [&](const Photo&) { return !good[next++]; });
  }

  void add_samples(const std::vector<Photo>& photos) {
    for (const Photo& photo : photos) {
      const auto name = std::lower_bound(names_.begin(), names_.end(), photo.class_name);
      samples_.push_back({photo.path.lexically_relative(root_).generic_string(),
                          name - names_.begin(), photo.split});
    }
  }

  void check_classes(Problems& problems) const {
    if (names_.size() < 2) {
      problems.add(problem("the data folder has too few classes", root_,
                           "two folders or more, each with the photos of a class",
                           names_.empty() ? "no folder" : "only \"" + names_[0] + "\""));
    }
    const bool official = !samples_.empty() && samples_[0].split != Split::none;
    std::vector<std::size_t> counts(names_.size());
    for (const espalier::Sample& sample : samples_) {
      counts[static_cast<std::size_t>(sample.label)] +=
          !official || sample.split == Split::train ? 1 : 0;
    }
    for (std::size_t c = 0; c < counts.size(); ++c) {
      const std::size_t least = official ? 1 : 3;
      if (counts[c] >= least) continue;
      problems.add(problem("class \"" + names_[c] + "\" has too few photos", root_,
                           official ? "at least 1 in train"
                                    : "at least 3: to learn from, to choose by, to be judged on",
                           std::to_string(counts[c]) + " that can be read"));
    }
  }

  Params params_;
  fs::path root_;
  std::vector<std::string> names_;
  std::vector<espalier::Sample> samples_;
};

}  // namespace

ESPALIER_COMPONENT(dataset, "image_folder", 1, ImageFolder,
                   "Your own photos: a folder for each class, with or without train, val and test",
                   "")
