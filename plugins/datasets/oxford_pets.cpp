// Oxford-IIIT Pet (Parkhi et al. 2012): 37 breeds, 7,349 photos. docs/datasets.md.
//
// images/NAME.jpg, annotations/{trainval,test}.txt with lines `NAME CLASS SPECIES BREED`.
#include <algorithm>
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

struct Line {
  std::string photo;
  std::int64_t class_id = 0;  // from 1
  Split split{};
};

// `great_pyrenees_104` is a photo of a great pyrenees.
std::string breed_of(const std::string& photo) {
  return espalier::class_name_from(photo.substr(0, photo.rfind('_')));
}

void read_lines(const fs::path& file, Split split, std::vector<Line>& lines, Problems& problems) {
  ListProblems wrong(problems);
  std::istringstream text(espalier::read_file(file));
  std::string row;
  const std::size_t before = lines.size();
  for (std::int64_t number = 1; std::getline(text, row); ++number) {
    if (row.empty() || row[0] == '#') continue;
    std::istringstream words(row);
    Line line{.photo = {}, .class_id = 0, .split = split};
    if (words >> line.photo >> line.class_id && line.class_id >= 1 && line.class_id <= 37 &&
        line.photo.find('/') == std::string::npos && line.photo.find('_') != std::string::npos) {
      lines.push_back(std::move(line));
      continue;
    }
    wrong.add({.what = "a line names no photo and class",
               .where = file.string() + ":" + std::to_string(number),
               .expected = "NAME CLASS SPECIES BREED, with CLASS from 1 to 37",
               .found = row.substr(0, 100),
               .fix = {}});
  }
  if (lines.size() > before) return;
  wrong.add({.what = "a list names no photo",
             .where = file.string(),
             .expected = "lines of NAME CLASS SPECIES BREED",
             .found = {},
             .fix = "unpack the archive's annotations again"});
}

// Labels number the classes that are there, in the order of their ids.
PhotoList official(const fs::path& root, Problems& problems) {
  const fs::path annotations = root / "annotations";
  std::vector<Line> lines;
  read_lines(annotations / "trainval.txt", Split::train, lines, problems);
  read_lines(annotations / "test.txt", Split::test, lines, problems);

  PhotoList list;
  std::map<std::int64_t, std::string> breeds;
  ListProblems wrong(problems);
  for (const Line& line : lines) {
    const std::string breed = breed_of(line.photo);
    const auto [it, fresh] = breeds.emplace(line.class_id, breed);
    if (fresh || it->second == breed) continue;
    wrong.add({.what = "class " + std::to_string(line.class_id) + " has photos of two breeds",
               .where = annotations.string(),
               .expected = it->second,
               .found = line.photo,
               .fix = {}});
  }
  for (const auto& [id, breed] : breeds) list.class_names.push_back(breed);
  for (const Line& line : lines) {
    const auto label = std::distance(breeds.begin(), breeds.find(line.class_id));
    list.samples.push_back({"images/" + line.photo + ".jpg", label, line.split});
  }
  return list;
}

class OxfordPets final : public espalier::ArchiveDataset {
 public:
  using Params = espalier::ArchiveParams;
  OxfordPets(const Params& params, const espalier::RunContext& context)
      : ArchiveDataset(params, {"images", "split_zhou_OxfordPets.json", official}, context) {}
};

}  // namespace

ESPALIER_COMPONENT(dataset, "oxford_pets", 1, OxfordPets,
                   "Oxford-IIIT Pet: 37 breeds of cats and dogs", "")
