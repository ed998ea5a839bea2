// Food-101 (Bossard et al. 2014): 101 dishes, 101,000 photos. docs/datasets.md.
//
// images/CLASS/ID.jpg, meta/classes.txt, meta/{train,test}.txt with lines `CLASS/ID`.
#include <espalier/core/file.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <espalier/dataset/split_file.hpp>
#include <espalier/plugin/component.hpp>
#include <map>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using espalier::ListProblems;
using espalier::PhotoList;
using espalier::Problems;
using espalier::Split;

std::vector<std::string> lines_of(const fs::path& file) {
  std::istringstream text(espalier::read_file(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

class Official {
 public:
  Official(const fs::path& root, Problems& problems) : meta_(root / "meta"), problems_(problems) {
    for (const std::string& name : lines_of(meta_ / "classes.txt")) {
      if (name.empty() || !labels_.emplace(name, list_.class_names.size()).second) continue;
      list_.class_names.push_back(espalier::class_name_from(name));
    }
  }

  void read(const char* name, Split split) {
    const fs::path file = meta_ / name;
    ListProblems wrong(problems_);
    std::int64_t number = 0;
    const std::size_t before = list_.samples.size();
    for (const std::string& line : lines_of(file)) {
      ++number;
      if (line.empty()) continue;
      const auto label = labels_.find(line.substr(0, line.find('/')));
      if (label != labels_.end() && line.find('/') != line.npos && espalier::is_inner_path(line)) {
        list_.samples.push_back({"images/" + line + ".jpg", label->second, split});
        continue;
      }
      wrong.add({.what = "a line names no photo of a known class",
                 .where = file.string() + ":" + std::to_string(number),
                 .expected = "CLASS/ID, with CLASS in meta/classes.txt",
                 .found = line.substr(0, 100),
                 .fix = {}});
    }
    if (list_.samples.size() > before) return;
    wrong.add({.what = "a list names no photo",
               .where = file.string(),
               .expected = "lines of CLASS/ID",
               .found = {},
               .fix = "unpack the archive's meta folder again"});
  }

  PhotoList take() { return std::move(list_); }

 private:
  fs::path meta_;
  Problems& problems_;
  std::map<std::string, std::int64_t> labels_;
  PhotoList list_;
};

PhotoList official(const fs::path& root, Problems& problems) {
  Official lists(root, problems);
  lists.read("train.txt", Split::train);
  lists.read("test.txt", Split::test);
  return lists.take();
}

class Food101 final : public espalier::ArchiveDataset {
 public:
  using Params = espalier::ArchiveParams;
  Food101(const Params& params, const espalier::RunContext& context)
      : ArchiveDataset(params, {"images", "split_zhou_Food101.json", official}, context) {}
};

}  // namespace

ESPALIER_COMPONENT(dataset, "food101", 1, Food101, "Food-101: photos of 101 dishes", "")
