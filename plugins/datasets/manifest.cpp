// Photos listed in a table, with labels, and splits and captions where it has them.
// docs/datasets.md.
#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/file.hpp>
#include <espalier/dataset/csv.hpp>
#include <espalier/dataset/photo_dataset.hpp>
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
  std::string unreadable = "stop";
  bool upright = false;
};

void bind(espalier::Schema<ManifestParams>& s) {
  s.field("root", &ManifestParams::root).required().doc("Folder of the photos and of the table");
  s.field("file", &ManifestParams::file)
      .doc("The table below the root: CSV with columns path, label and, if wanted, split, caption");
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

std::optional<Split> split_named(const std::string& name) {
  if (name.empty()) return Split::none;
  if (name == "train") return Split::train;
  if (name == "val") return Split::val;
  if (name == "test") return Split::test;
  return std::nullopt;
}

class Reader {
 public:
  Reader(const fs::path& root, const fs::path& file, Problems& problems)
      : file_(file.string()), wrong_(problems) {
    table_.root = root;
  }

  Table read() {
    const auto rows = espalier::parse_csv(espalier::read_file(file_), file_);
    if (rows.empty()) {
      wrong(1, "the table is empty", "a line path,label and one line a photo", "");
      return std::move(table_);
    }
    read_header(rows[0]);
    if (path_ < 0 || label_ < 0) return std::move(table_);
    name_classes(rows);
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
    path_ = column("path");
    label_ = column("label");
    split_ = column("split");
    caption_ = column("caption");
    std::string found;
    for (const std::string& name : header.fields) found += (found.empty() ? "" : ",") + name;
    if (path_ < 0) wrong(header.line, "the table has no column \"path\"", "path,label", found);
    if (label_ < 0) wrong(header.line, "the table has no column \"label\"", "path,label", found);
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
  }

  void add(const CsvRow& row, std::size_t columns) {
    if (row.fields.size() != columns) {
      return wrong(row.line, "a line has another number of columns", std::to_string(columns),
                   std::to_string(row.fields.size()));
    }
    const std::string& path = field(row, path_);
    const std::string& label = field(row, label_);
    const auto split = split_named(field(row, split_));
    if (!espalier::is_inner_path(path)) {
      wrong(row.line, "a path leaves the folder", "a path below the root", path);
    }
    if (label.empty()) wrong(row.line, "a photo has no label", "the name of its class", path);
    if (!split)
      wrong(row.line, "a split that is not known", "train, val or test", field(row, split_));
    if (!split || label.empty() || !espalier::is_inner_path(path)) return;
    const auto& names = table_.list.class_names;
    const auto place = std::lower_bound(names.begin(), names.end(), label) - names.begin();
    table_.list.samples.push_back({path, place, *split});
    if (caption_ >= 0) table_.captions[path] = field(row, caption_);
  }

  std::string file_;
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
  Table table = Reader(root, root / params.file, problems).read();
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

ESPALIER_COMPONENT(dataset, "manifest", 1, Manifest,
                   "Your own photos, listed in a table with labels, splits and captions",
                   "captions")
