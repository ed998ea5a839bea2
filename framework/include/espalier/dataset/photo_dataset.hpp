// What datasets of photo files have in common: a folder, a list of files with labels, a decoder.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/schema.hpp>
#include <espalier/image/image_check.hpp>
#include <espalier/plugin/context.hpp>
#include <espalier/plugin/dataset.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace espalier {

struct PhotoList {
  std::vector<std::string> class_names;
  std::vector<Sample> samples;  // an id is the path below the root
  // That each class needs, in train where there are splits; 0: this is not looked at.
  std::int64_t least_photos = 0;
};

// Collects what is wrong with one list: ten problems, then only their number.
class ListProblems {
 public:
  explicit ListProblems(Problems& problems) : problems_(problems) {}
  ListProblems(const ListProblems&) = delete;
  ListProblems& operator=(const ListProblems&) = delete;
  ~ListProblems();

  void add(Problem problem);

 private:
  Problems& problems_;
  std::size_t count_ = 0;
  std::string where_;
};

class PhotoDataset : public Dataset {
 public:
  [[nodiscard]] const std::vector<std::string>& class_names() const override;
  [[nodiscard]] const std::vector<Sample>& samples() const override;
  [[nodiscard]] Image image(std::size_t index) const override;

 protected:
  // Checks every file by check_images(). Throws Error with `problems`, which the caller found, and
  // all of its own: unreadable and missing files, files listed twice, names that are not UTF-8, no
  // samples, classes with too few.
  PhotoDataset(std::filesystem::path root, PhotoList list, Unreadable policy, bool upright,
               Problems problems, const RunContext& context);

 private:
  std::filesystem::path root_;
  PhotoList list_;
  bool upright_;
};

// Parameters of a published dataset.
struct ArchiveParams {
  ContentPath root;            // the unpacked archive
  std::string split = "auto";  // auto | official | coop
  ContentPath split_file;      // CoOp's split_zhou_*.json, where it is not in the root
  std::string unreadable = "stop";
  bool upright = false;
};
void bind(Schema<ArchiveParams>& s);

// How a published archive is laid out.
struct ArchiveLayout {
  std::string photo_folder;  // below the root; paths in CoOp's file are relative to it
  std::string coop_file;     // its name in the root
  // The archive's own splits. What is wrong is added to the problems.
  std::function<PhotoList(const std::filesystem::path& root, Problems& problems)> official;
};

// A published dataset by its own splits or by CoOp's. `auto` takes CoOp's where its file is in the
// root or given.
class ArchiveDataset : public PhotoDataset {
 protected:
  ArchiveDataset(const ArchiveParams& params, const ArchiveLayout& layout,
                 const RunContext& context);

 private:
  struct Found;
  ArchiveDataset(Found found, const ArchiveParams& params, const RunContext& context);
};

}  // namespace espalier
