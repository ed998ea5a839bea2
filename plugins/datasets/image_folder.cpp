// A folder of photos for each class. docs/datasets-folder.md.
#include <spdlog/logger.h>

#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <espalier/dataset/photo_folder.hpp>
#include <espalier/plugin/component.hpp>
#include <map>
#include <set>

namespace {

namespace fs = std::filesystem;
using espalier::PhotoList;
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
      .kind("class_folders")
      .doc("Folder with a folder of photos for each class, or with train, val and test of such");
  s.field("unreadable", &ImageFolderParams::unreadable)
      .choices({"stop", "skip"})
      .doc("What to do about files that are no whole pictures: refuse the data or leave them out");
  s.field("upright", &ImageFolderParams::upright)
      .doc("Turn photos as their EXIF orientation says; image processors do not");
}

Problem problem(std::string what, const fs::path& where, std::string expected, std::string found) {
  return {.what = std::move(what),
          .where = where.string(),
          .expected = std::move(expected),
          .found = std::move(found),
          .fix = {}};
}

// One class folder of one split, with the photos in it.
struct ClassFolder {
  std::string name;  // of the folder
  Split split = Split::none;
  std::vector<fs::path> files;
};

// root/CLASS, or root/SPLIT/CLASS where two folders or more are called like splits.
class Reader {
 public:
  Reader(fs::path root, const espalier::RunContext& context)
      : root_(std::move(root)), context_(context) {}

  PhotoList read(Problems& problems) {
    const std::vector<fs::path> top = espalier::folders_in(root_);
    const std::map<fs::path, Split> splits = split_folders(top);
    if (splits.size() < 2) {
      add_classes(top, Split::none);
    } else {
      check_splits(splits, problems);
      for (const auto& [folder, split] : splits) add_classes(espalier::folders_in(folder), split);
      for (const fs::path& folder : top) {
        if (splits.contains(folder)) continue;
        context_.log().warn("a folder beside those of splits is left out: {}", folder.string());
      }
    }
    return listed(problems);
  }

 private:
  // Those that hold anything: an empty folder is as none.
  static std::map<fs::path, Split> split_folders(const std::vector<fs::path>& top) {
    std::map<fs::path, Split> found;
    for (const fs::path& folder : top) {
      const auto split = espalier::split_named(folder.filename().string());
      if (split && !espalier::files_below(folder).empty()) found.emplace(folder, *split);
    }
    return found;
  }

  void check_splits(const std::map<fs::path, Split>& splits, Problems& problems) const {
    std::map<Split, std::string> names;
    for (const auto& [folder, split] : splits) {
      std::string& name = names[split];
      name += (name.empty() ? "" : ", ") + folder.filename().string();
      if (name == folder.filename().string()) continue;
      problems.add(problem("two folders of one split", root_, "one folder a split", name));
    }
    if (names.contains(Split::train)) return;
    std::string all;
    for (const auto& [split, name] : names) all += (all.empty() ? "" : ", ") + name;
    problems.add(
        problem("the folders of splits lack `train`", root_, "a folder `train`", "only " + all));
  }

  void add_classes(const std::vector<fs::path>& folders, Split split) {
    for (const fs::path& folder : folders) {
      std::vector<fs::path> files = espalier::files_below(folder);
      if (files.empty()) {
        context_.log().warn("a folder without photos is left out: {}", folder.string());
      } else {
        folders_.push_back({folder.filename().string(), split, std::move(files)});
      }
    }
  }

  static std::string alone(const std::string& name) {
    const std::string quoted = "\"" + name + "\"";
    if (!espalier::split_named(name)) return quoted;
    return quoted + ", which counts as a class where no other split is beside it";
  }

  PhotoList listed(Problems& problems) const {
    std::set<std::string> spoken, written;
    for (const ClassFolder& folder : folders_) {
      written.insert(folder.name);
      spoken.insert(espalier::spoken_name(folder.name));
    }
    espalier::check_class_names({written.begin(), written.end()}, root_, problems);
    PhotoList list;
    list.class_names.assign(spoken.begin(), spoken.end());
    if (spoken.size() < 2) {
      problems.add(problem("the data folder has too few classes", root_,
                           "two folders or more, each with the photos of a class",
                           spoken.empty() ? "no folder" : "only " + alone(*spoken.begin())));
    }
    for (const ClassFolder& folder : folders_) {
      const auto label =
          std::distance(spoken.begin(), spoken.find(espalier::spoken_name(folder.name)));
      for (const fs::path& file : folder.files) {
        list.samples.push_back(
            {file.lexically_relative(root_).generic_string(), label, folder.split});
      }
    }
    // Without splits: one to learn from, to choose by, to be judged on.
    list.least_photos = !folders_.empty() && folders_[0].split == Split::none ? 3 : 1;
    return list;
  }

  fs::path root_;
  const espalier::RunContext& context_;
  std::vector<ClassFolder> folders_;
};

struct Found {
  fs::path root;
  Problems problems;
  PhotoList list;

  Found(const ImageFolderParams& params, const espalier::RunContext& context)
      : root(espalier::resolve_path(params.root.text)) {
    if (!fs::is_directory(root)) {
      throw espalier::Error(problem("the data folder is not there", root, "a folder",
                                    fs::exists(root) ? "a file" : "nothing"));
    }
    list = Reader(root, context).read(problems);
  }
};

class ImageFolder final : public espalier::PhotoDataset {
 public:
  using Params = ImageFolderParams;
  ImageFolder(const Params& params, const espalier::RunContext& context)
      : ImageFolder(Found(params, context), params, context) {}

 private:
  ImageFolder(Found found, const Params& params, const espalier::RunContext& context)
      : PhotoDataset(
            std::move(found.root), std::move(found.list),
            params.unreadable == "skip" ? espalier::Unreadable::skip : espalier::Unreadable::stop,
            params.upright, std::move(found.problems), context) {}
};

}  // namespace

ESPALIER_COMPONENT(dataset, "image_folder", 2, ImageFolder,
                   "Your own photos: a folder for each class, with or without train, val and test",
                   "")
