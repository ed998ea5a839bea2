#include <boost/program_options.hpp>
#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/text/tokenizer.hpp>
#include <iostream>
#include <iterator>

#include "plugins_internal.hpp"
#include "settings.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

constexpr std::size_t max_input_bytes = std::size_t{1} << 30;

po::options_description tokenize_options() {
  po::options_description options("options");
  options.add_options()("json", "an object a line: ids, and length before truncation")("help",
                                                                                       "show this");
  return options;
}

void print_tokenize_help(const po::options_description& options) {
  std::cout
      << "usage: espalier tokenize encoder.weights=DIR [FILE] [--json]\n\n"
         "Prints the ids that a model's tokenizer makes of each line of FILE, or of standard\n"
         "input: with begin and end, cut to the model's length, without padding.\n\n"
      << options
      << "\nexample:\n  echo 'a photo of a flower' | espalier tokenize "
         "encoder.weights=clip-vit-base-patch16\n";
}

std::string read_input(const std::vector<std::string>& files) {
  if (!files.empty()) return read_file(files[0], max_input_bytes);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<Encoding> encode_lines(const Tokenizer& tokenizer, std::string_view text,
                                   const std::string& origin) {
  std::vector<Encoding> encodings;
  Problems problems;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(text)) try {
      ++number;
      encodings.push_back(tokenizer.encode(line));
    } catch (const Error& error) {
      Problem problem = error.problems()[0];
      problem.where = origin + ":" + std::to_string(number);
      problems.add(std::move(problem));
      if (problems.size() >= 10) break;
    }
  problems.throw_if_any();
  return encodings;
}

std::string plain_line(const Encoding& encoding) {
  std::string line;
  for (const std::int64_t id : encoding.ids) {
    if (!line.empty()) line.push_back(' ');
    line += std::to_string(id);
  }
  return line;
}

std::string json_line(const Encoding& encoding) {
  return Json{{"ids", encoding.ids}, {"length", encoding.full_length}}.dump();
}

// The folder of the tokenizer and the files to read, from arguments that are settings or names.
std::pair<std::string, std::vector<std::string>> sort_arguments(
    const std::vector<std::string>& words) {
  std::vector<std::string> settings;
  std::vector<std::string> files;
  for (const std::string& word : words) {
    (word.starts_with("encoder.") ? settings : files).push_back(word);
  }
  const auto given = read_settings("encoder", settings);
  const bool only_weights = given.size() == given.count("weights") + given.count("use");
  if (given.count("weights") == 0 || !only_weights || files.size() > 1) {
    throw Error({.what = "tokenize takes a model's folder and at most one file",
                 .where = "command line",
                 .expected = "espalier tokenize encoder.weights=DIR [FILE] [--json]",
                 .found = {},
                 .fix = "espalier tokenize --help shows an example"});
  }
  return {given.at("weights"), files};
}

}  // namespace

int tokenize(const std::vector<std::string>& arguments) {
  const po::options_description options = tokenize_options();
  po::options_description all;
  all.add(options).add_options()("word",
                                 po::value<std::vector<std::string>>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("word", -1));
  if (given.count("help") > 0) return print_tokenize_help(options), 0;
  const auto [folder, files] = sort_arguments(given["word"].as<std::vector<std::string>>());
  const Tokenizer tokenizer = open_tokenizer(resolve_path(folder));
  const std::string origin = files.empty() ? "standard input" : files[0];
  const bool json = given.count("json") > 0;
  for (const Encoding& encoding : encode_lines(tokenizer, read_input(files), origin)) {
    std::cout << (json ? json_line(encoding) : plain_line(encoding)) << '\n';
  }
  return 0;
}

}  // namespace espalier::cli
