#include "review/review_file.hpp"
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <filesystem>
#include <iostream>

#include "captions_internal.hpp"
#include "captions_request.hpp"
#include "start_worker.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;
constexpr const char* review_verb = "captions review";

po::options_description review_options() {
  po::options_description options = set_options();
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
  add("samples", po::value<Words>()->default_value({}, "")->value_name("FILE"),
      "another set of the same pictures by the same captioner: the least certain are those on "
      "which "
      "the sets agree least; may be repeated");
  add("help", "show this");
  return options;
}

void print_review_help(const po::options_description& options) {
  std::cout
      << "usage: espalier captions review SET dataset.use=NAME [dataset.KEY=VALUE...]\n"
         "                                [encoder.use=NAME encoder.KEY=VALUE...] [OPTIONS]\n"
         "       espalier captions review SET --export FILE [--decisions DIR]\n\n"
         "Opens a page on 127.0.0.1 on which people accept, edit and reject captions, with the\n"
         "keyboard if they like. Every decision is on the disk before the page says so, and the\n"
         "same command goes on where it was left. The random audit, the first queue, says how\n"
         "many captions are wrong; the others show the suspicious first. With an encoder the "
         "least\n"
         "certain are those of the lowest clip_score, which is measured once and kept.\n\n"
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

// The first word that is no setting.
std::string first_file(const po::variables_map& given) {
  for (const std::string& word : given["word-of-set"].as<Words>()) {
    if (word.find('=') == std::string::npos) return word;
  }
  cannot_review("captions review needs a caption set", "a file such as captions.jsonl", "none");
}

int export_reviewed(const fs::path& file, const fs::path& folder, const fs::path& out) {
  const Review review(read_review_input(file, folder).items, 0.0);
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

Json review_request(const po::variables_map& given, const fs::path& folder) {
  const std::string reviewer = given["reviewer"].as<std::string>();
  if (!is_reviewer_name(reviewer)) {
    cannot_review("--reviewer is no name for a file", "letters, digits, - and _, 40 at most",
                  reviewer);
  }
  const int port = given["port"].as<int>();
  if (port < 0 || port > 65535) cannot_review("--port is none", "1 to 65535", std::to_string(port));
  Json request = set_request(given, review_verb);
  const auto& samples = given["samples"].as<Words>();
  if (!samples.empty() && !request.at("encoder").is_null()) {
    cannot_review("captions can be sorted by one score", "an encoder or --samples", "both");
  }
  request["set"] = fs::absolute(request.at("set").get<std::string>()).string();
  request.update({{"do", "review"},
                  {"reviewer", reviewer},
                  {"decisions", fs::absolute(folder).string()},
                  {"overlap", given["overlap"].as<double>()},
                  {"port", port},
                  {"samples", samples}});
  return request;
}

}  // namespace

fs::path decisions_folder(const po::variables_map& given, const std::string& set) {
  if (given.count("decisions") > 0) return given["decisions"].as<std::string>();
  return set + ".review";
}

int review_captions(const Words& arguments) {
  const po::options_description options = review_options();
  const po::variables_map given = set_arguments(arguments, options);
  if (given.count("help") > 0) return print_review_help(options), 0;
  const std::string set = first_file(given);
  const double overlap = given["overlap"].as<double>();
  if (!(overlap >= 0 && overlap <= 1)) {
    cannot_review("--overlap is no share", "0 to 1", std::to_string(overlap));
  }
  const fs::path folder = decisions_folder(given, set);
  if (given.count("export") > 0) {
    return export_reviewed(set, folder, given["export"].as<std::string>());
  }
  become_worker({"captions", review_request(given, folder).dump()});
}

}  // namespace espalier::cli
