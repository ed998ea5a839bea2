#include "review/review_file.hpp"
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>
#include <iostream>

#include "captions_internal.hpp"
#include "plugins_internal.hpp"
#include "settings.hpp"
#include "start_worker.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

po::options_description review_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("reviewer", po::value<std::string>()->default_value("me")->value_name("NAME"),
      "whose decisions these are; several people review one set under several names");
  add("decisions", po::value<std::string>()->value_name("DIR"),
      "where decisions are kept; SET.review otherwise");
  add("overlap", po::value<double>()->default_value(0.15, "0.15")->value_name("SHARE"),
      "of the captions, that every reviewer gets; the others are for one");
  add("port", po::value<int>()->default_value(0, "any")->value_name("N"), "of the page");
  add("export", po::value<std::string>()->value_name("FILE"),
      "open no page: write the set as the reviewers leave it");
  add("plugins", po::value<Words>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_review_help(const po::options_description& options) {
  std::cout
      << "usage: espalier captions review SET dataset.use=NAME [dataset.KEY=VALUE...] [OPTIONS]\n"
         "       espalier captions review SET --export FILE [--decisions DIR]\n\n"
         "Opens a page on 127.0.0.1 on which people accept, edit and reject captions, with the\n"
         "keyboard if they like. Every decision is on the disk before the page says so, and the\n"
         "same command goes on where it was left. The random audit, the first queue, says how\n"
         "many captions are wrong; the others show the suspicious first.\n\n"
      << options
      << "\nexamples:\n  espalier captions review captions.jsonl dataset.use=image_folder \\\n"
         "    dataset.root=photos --reviewer anna\n"
         "  espalier captions review captions.jsonl --export reviewed.jsonl\n"
         "  espalier captions audit captions.jsonl\n";
}

[[noreturn]] void cannot_review(std::string what, std::string expected, std::string found) {
  throw Error({.what = std::move(what),
               .where = "command line",
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = "espalier captions review --help shows examples"});
}

int export_reviewed(const fs::path& file, const fs::path& folder, const fs::path& out) {
  const Review review(read_review_items(file), 0.0);
  const ReviewerViews views = views_in(folder, review.items());
  std::size_t decided = 0;
  for (const auto& [name, view] : views) decided += view.count();
  if (decided == 0) {
    throw Error({.what = "nobody has decided anything about these captions",
                 .where = folder.string(),
                 .expected = "decisions about " + file.string(),
                 .found = std::to_string(views.size()) + " reviewers",
                 .fix = "espalier captions review opens the page"});
  }
  const ReviewedFile made = write_reviewed(file, review.items(), review.outcomes(views), out);
  std::cout << printable(out.string()) << ": " << made.captions << " captions, " << made.edited
            << " of them edited; " << made.rejected << " rejected and left out\n"
            << made.digest << "\n";
  return 0;
}

Json review_request(const po::variables_map& given, const Words& words, const fs::path& folder) {
  const std::string reviewer = given["reviewer"].as<std::string>();
  if (!is_reviewer_name(reviewer)) {
    cannot_review("--reviewer is no name for a file", "letters, digits, - and _, 40 at most",
                  reviewer);
  }
  const int port = given["port"].as<int>();
  if (port < 0 || port > 65535) cannot_review("--port is none", "1 to 65535", std::to_string(port));
  if (words.size() < 2) {
    cannot_review("captions review needs the pictures", "dataset.use=NAME dataset.KEY=VALUE...",
                  "none");
  }
  const auto& folders = given["plugins"].as<Words>();
  Catalog catalog = Catalog::installed(folders);
  catalog.describe(worker_program());
  return {{"do", "review"},
          {"set", fs::absolute(words[0]).string()},
          {"dataset",
           resolve_settings("dataset", read_settings("dataset", {words.begin() + 1, words.end()}),
                            catalog)},
          {"reviewer", reviewer},
          {"decisions", fs::absolute(folder).string()},
          {"overlap", given["overlap"].as<double>()},
          {"port", port},
          {"plugins", folders}};
}

}  // namespace

fs::path decisions_folder(const po::variables_map& given, const std::string& set) {
  if (given.count("decisions") > 0) return given["decisions"].as<std::string>();
  return set + ".review";
}

int review_captions(const Words& arguments) {
  const po::options_description options = review_options();
  po::options_description all;
  all.add(options).add_options()("word", po::value<Words>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("word", -1));
  if (given.count("help") > 0) return print_review_help(options), 0;
  const auto& words = given["word"].as<Words>();
  if (words.empty() || words[0].starts_with("dataset")) {
    cannot_review("captions review needs a caption set first", "a file such as captions.jsonl",
                  words.empty() ? "nothing" : words[0]);
  }
  const double overlap = given["overlap"].as<double>();
  if (!(overlap >= 0 && overlap <= 1)) {
    cannot_review("--overlap is no share", "0 to 1", std::to_string(overlap));
  }
  const fs::path folder = decisions_folder(given, words[0]);
  if (given.count("export") > 0) {
    return export_reviewed(words[0], folder, given["export"].as<std::string>());
  }
  become_worker({"captions", review_request(given, words, folder).dump()});
}

}  // namespace espalier::cli
