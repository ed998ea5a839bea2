// Photos listed in a table, with labels, and splits and captions where it has them.
// docs/datasets.md.
#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/file.hpp>
#include <espalier/dataset/csv.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <espalier/dataset/photo_folder.hpp>
#include <espalier/dataset/split_file.hpp>
#include <espalier/plugin/component.hpp>
#include <map>
#include <optional>

namespace {

namespace fs = std::filesystem;
using espalier::CsvRow;
using espalier::ListProblems;
using espalier::PhotoList;
using espalier::Problems;
using espalier::Split;

struct ManifestParams {
  espalier::ContentPath root;
  std::string file = "manifest.csv";
  std::string delimiter = ",";
  std::string path_column = "path";
  std::string label_column = "label";
  std::string split_column = "split";
  std::string caption_column = "caption";
  std::string unreadable = "stop";
  bool upright = false;
};

void bind(espalier::Schema<ManifestParams>& s) {
  s.field("root", &ManifestParams::root).required().doc("Folder of the photos and of the table");
  s.field("file", &ManifestParams::file)
      .doc("The table below the root: CSV with columns path, label and, if wanted, split, caption");
  s.field("delimiter", &ManifestParams::delimiter)
      .choices({",", ";", "|", "tab"})
      .doc("Between the columns of the table");
  s.field("path_column", &ManifestParams::path_column).doc("Column with paths below the root");
  s.field("label_column", &ManifestParams::label_column).doc("Column with names of classes");
  s.field("split_column", &ManifestParams::split_column)
      .doc("Column with train, val or test, where there is one");
  s.field("caption_column", &ManifestParams::caption_column)
      .doc("Column with captions, where there is one");
  s.check("path_column != label_column", "paths and labels need a column each");
  s.field("unreadable", &ManifestParams::unreadable)
      .choices({"stop", "skip"})
      .doc("What to do about photos that are missing or damaged: refuse the data or go without");
  s.field("upright", &ManifestParams::upright)
      .doc("Turn photos as their EXIF orientation says; image processors do not");
}

struct Table {
  fs::path root;
  PhotoList list;
  std::map<std::string, std::string> captions;  // by path
  Problems problems;
};

class Reader {
 public:
  Reader(const ManifestParams& params, const fs::path& root, Problems& problems)
      : params_(params),
        file_((root / params.file).string()),
        problems_(problems),
        wrong_(problems) {
    table_.root = root;
    table_.list.least_photos = 1;
  }

  Table read() {
    const char delimiter = params_.delimiter == "tab" ? '\t' : params_.delimiter[0];
    const auto rows = espalier::parse_csv(espalier::read_file(file_), file_, delimiter);
    if (rows.empty()) {
      wrong(1, "the table is empty", "a line path,label and one line a photo", "");
      return std::move(table_);
    }
    read_header(rows[0]);
    if (path_ < 0 || label_ < 0) return std::move(table_);
    name_classes(rows);
    check_splits(rows);
    for (auto row = rows.begin() + 1; row != rows.end(); ++row) add(*row, rows[0].fields.size());
    return std::move(table_);
  }

 private:
  void wrong(std::int64_t line, std::string what, std::string expected, std::string found) {
    wrong_.add({.what = std::move(what),
                .where = file_ + ":" + std::to_string(line),
                .expected = std::move(expected),
                .found = std::move(found),
                .fix = {}});
  }

  void read_header(const CsvRow& header) {
    const auto column = [&](std::string_view name) {
      const auto it = std::find(header.fields.begin(), header.fields.end(), name);
      return it == header.fields.end() ? std::ptrdiff_t{-1} : it - header.fields.begin();
    };
    path_ = column(params_.path_column);
    label_ = column(params_.label_column);
    split_ = column(params_.split_column);
    caption_ = column(params_.caption_column);
    std::string found;
    for (const std::string& name : header.fields) found += (found.empty() ? "" : ",") + name;
    const auto require = [&](std::ptrdiff_t place, const std::string& name) {
      if (place >= 0) return;
      wrong(header.line, "the table has no column \"" + name + "\"",
            params_.path_column + "," + params_.label_column + " and the like", found);
    };
    require(path_, params_.path_column);
    require(label_, params_.label_column);
    // Those that may be missing were asked for where they have names of their own.
    const ManifestParams usual;
    if (params_.split_column != usual.split_column) require(split_, params_.split_column);
    if (params_.caption_column != usual.caption_column) require(caption_, params_.caption_column);
  }

  static const std::string& field(const CsvRow& row, std::ptrdiff_t column) {
    static const std::string none;
    const bool there = column >= 0 && column < std::ssize(row.fields);
    return there ? row.fields[static_cast<std::size_t>(column)] : none;
  }

  void name_classes(const std::vector<CsvRow>& rows) {
    auto& names = table_.list.class_names;
    for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
      if (!field(*row, label_).empty()) names.push_back(field(*row, label_));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    espalier::check_class_names(names, file_, problems_);
  }

  // A photo without a split beside others with one is a slip of the whole column, said once.
  void check_splits(const std::vector<CsvRow>& rows) {
    std::vector<std::int64_t> empty;
    for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
      if (field(*row, split_).empty()) empty.push_back(row->line);
    }
    const std::size_t photos = rows.size() - 1;
    if (split_ < 0 || empty.empty() || empty.size() == photos) return;
    std::string lines;
    for (std::size_t i = 0; i < std::min<std::size_t>(empty.size(), 5); ++i) {
      lines += (i == 0 ? "" : ", ") + std::to_string(empty[i]);
    }
    wrong(empty[0],
          std::to_string(empty.size()) + " of " + std::to_string(photos) + " photos have no split",
          "train, val or test for all photos, or for none",
          "nothing in line" + std::string(empty.size() > 1 ? "s " : " ") + lines +
              (empty.size() > 5 ? ", ..." : ""));
  }

  void add(const CsvRow& row, std::size_t columns) {
    if (row.fields.size() != columns) {
      return wrong(row.line, "a line has another number of columns", std::to_string(columns),
                   std::to_string(row.fields.size()));
    }
    const std::string& path = field(row, path_);
    const std::string& label = field(row, label_);
    const std::string& word = field(row, split_);
    const auto split = word.empty() ? std::optional(Split::none) : espalier::split_named(word);
    if (!espalier::is_inner_path(path)) {
      wrong(row.line, "a path leaves the folder", "a path below the root", path);
    }
    if (label.empty()) wrong(row.line, "a photo has no label", "the name of its class", path);
    if (!split) wrong(row.line, "a split that is not known", "train, val or test", word);
    if (!split || label.empty() || !espalier::is_inner_path(path)) return;
    const auto& names = table_.list.class_names;
    const auto place = std::lower_bound(names.begin(), names.end(), label) - names.begin();
    const std::string id = fs::path(path).lexically_normal().generic_string();
    table_.list.samples.push_back({id, place, *split});
    if (caption_ >= 0) table_.captions[id] = field(row, caption_);
  }

  const ManifestParams& params_;
  std::string file_;
  Problems& problems_;
  ListProblems wrong_;
  std::ptrdiff_t path_ = -1, label_ = -1, split_ = -1, caption_ = -1;
  Table table_;
};

Table read_table(const ManifestParams& params) {
  const fs::path root = espalier::resolve_path(params.root.text);
  if (!espalier::is_inner_path(params.file)) {
    throw espalier::Error({.what = "the table must lie in the root",
                           .where = root.string(),
                           .expected = "a path below the root",
                           .found = params.file,
                           .fix = {}});
  }
  Problems problems;
  Table table = Reader(params, root, problems).read();
  table.problems = problems;
  return table;
}

class Manifest final : public espalier::PhotoDataset {
 public:
  using Params = ManifestParams;
  Manifest(const Params& params, const espalier::RunContext& context)
      : Manifest(read_table(params), params, context) {}

  espalier::Json facts(std::size_t index) const override {
    const auto caption = captions_.find(samples().at(index).id);
    return {{"caption", caption == captions_.end() ? "" : caption->second}};
  }

 private:
  Manifest(Table table, const Params& params, const espalier::RunContext& context)
      : PhotoDataset(
            table.root, std::move(table.list),
            params.unreadable == "skip" ? espalier::Unreadable::skip : espalier::Unreadable::stop,
            params.upright, std::move(table.problems), context),
        captions_(std::move(table.captions)) {}

  std::map<std::string, std::string> captions_;
};

}  // namespace

ESPALIER_COMPONENT(dataset, "manifest", 2, Manifest,
                   "Your own photos, listed in a table with labels, splits and captions",
                   "captions")
