#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/process.hpp>
#include <espalier/image/png.hpp>
#include <espalier/image/resize.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <iostream>
#include <thread>

#include "../json_text.hpp"
#include "../said_sink.hpp"
#include "data_report.hpp"
#include "plugins_internal.hpp"
#include "settings.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

constexpr std::int64_t sheet_cell = 96;
constexpr std::size_t sheet_columns = 10;
constexpr std::size_t most_sheet_rows = 120;

po::options_description data_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("sheet", po::value<std::string>()->value_name("FILE"),
      "write a contact sheet, a row a class, as PNG");
  add("near", "also pairs of different splits that look alike");
  add("json", "print one JSON object instead of the summary");
  add("plugins", po::value<Words>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_data_help(const po::options_description& options) {
  std::cout
      << "usage: espalier data check dataset.use=NAME [dataset.KEY=VALUE...] [OPTIONS]\n\n"
         "Decodes every picture of a dataset and says what it holds: classes, splits, sizes,\n"
         "pictures that are there twice, pictures that cannot be read. Exit code 1 where a\n"
         "picture cannot be read, or is in two splits or two classes. Of features that are\n"
         "given in place of pictures it compares the rows.\n\n"
      << options
      << "\nexample:\n  espalier data check dataset.use=oxford_pets "
         "dataset.root=~/data/oxford-iiit-pet --sheet pets.png\n";
}

// Damaged pictures are what is looked for, so they are no reason to stop unless that was asked for.
Json resolved_dataset(const Words& arguments, const Catalog& catalog) {
  auto settings = read_settings("dataset", arguments);
  const auto use = settings.find("use");
  const ComponentInfo* info =
      use == settings.end() ? nullptr : catalog.find("dataset", use->second);
  if (info != nullptr && info->schema.find("unreadable") != nullptr) {
    settings.emplace("unreadable", "skip");
  }
  return resolve_settings("dataset", settings, catalog);
}

// The first pictures of each class that can be read.
void write_sheet(const Dataset& dataset, const DatasetCheck& check, const std::string& file) {
  std::vector<bool> damaged(dataset.samples().size());
  for (const auto& [index, error] : check.unreadable) damaged[index] = true;
  std::vector<SheetRow> rows(std::min(dataset.class_names().size(), most_sheet_rows));
  for (std::size_t c = 0; c < rows.size(); ++c) rows[c].caption = dataset.class_names()[c];
  for (std::size_t i = 0; i < dataset.samples().size(); ++i) {
    const auto label = static_cast<std::size_t>(dataset.samples()[i].label);
    if (damaged[i] || label >= rows.size() || rows[label].images.size() >= sheet_columns) continue;
    Image image = dataset.image(i);
    const double scale =
        static_cast<double>(sheet_cell) / static_cast<double>(std::max(image.width, image.height));
    const auto side = [&](std::int64_t length) {
      return std::max<std::int64_t>(1, std::llround(static_cast<double>(length) * scale));
    };
    rows[label].images.push_back(
        resize(image, side(image.width), side(image.height), Filter::bicubic));
  }
  write_file(file, encode_png(contact_sheet(rows, sheet_cell)));
}

void require_pictures(const Dataset& dataset, const std::string& name) {
  if (dataset.features() == nullptr) return;
  throw Error({.what = "there is no contact sheet of features",
               .where = "--sheet",
               .expected = "a dataset with pictures",
               .found = "dataset/" + name,
               .fix = "leave --sheet out"});
}

DatasetCheckOptions what_to_check(const po::variables_map& given) {
  DatasetCheckOptions options;
  options.threads = static_cast<int>(std::thread::hardware_concurrency());
  options.near_duplicates = given.count("near") > 0;
  options.progress = picture_progress();
  return options;
}

int check(const Words& arguments) {
  const po::options_description options = data_options();
  po::options_description all;
  all.add(options).add_options()("setting", po::value<Words>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("setting", -1));
  if (given.count("help") > 0) return print_data_help(options), 0;

  const auto folders = given["plugins"].as<Words>();
  Catalog catalog = Catalog::installed(folders);
  catalog.describe(worker_program());
  const Json section = resolved_dataset(given["setting"].as<Words>(), catalog);
  const std::string name = section["use"];
  const auto said = std::make_shared<SaidSink>();
  spdlog::logger log("data", said);
  Loader loader(catalog);
  const LoaderContext context(loader, log);
  const auto dataset = loader.make<Dataset>(section, context);

  if (given.count("sheet") > 0) require_pictures(*dataset, name);
  DatasetCheck found;
  guarded("dataset/" + name, "decoding",
          [&] { found = check_dataset(*dataset, what_to_check(given)); });
  if (given.count("sheet") > 0) write_sheet(*dataset, found, given["sheet"].as<std::string>());
  const DataReport report{name, *dataset, found, said->take()};
  std::cout << (given.count("json") > 0 ? json_text(report_json(report)) : report_text(report));
  return is_clean(report) ? 0 : 1;
}

}  // namespace

int data(const Words& arguments) {
  if (!arguments.empty() && arguments[0] == "check") {
    return check({arguments.begin() + 1, arguments.end()});
  }
  const bool help = !arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h");
  if (help) return print_data_help(data_options()), 0;
  throw Error({.what = "data needs to know what to do",
               .where = "command line",
               .expected = "espalier data check dataset.use=NAME ...",
               .found = arguments.empty() ? "nothing" : arguments[0],
               .fix = "espalier data --help shows an example"});
}

}  // namespace espalier::cli
