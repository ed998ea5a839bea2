// Vocabularies and merges in files of their own.
#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/python_json.hpp>

#include "tokenizer_internal.hpp"
#include "unicode.hpp"

namespace espalier::tokenizer {
namespace {

namespace fs = std::filesystem;

std::string contents_of(const fs::path& file) {
  std::string text = read_file(file);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  if (const auto at = unicode::first_invalid_byte(text)) {
    throw Error({.what = "a vocabulary file is not UTF-8",
                 .where = file.string(),
                 .expected = {},
                 .found = "a wrong byte at position " + std::to_string(*at),
                 .fix = "download the file again"});
  }
  return text;
}

// Without the empty lines at the end.
std::vector<std::string> lines_of(const fs::path& file) {
  const std::string text = contents_of(file);
  const auto count = std::count(text.begin(), text.end(), '\n');
  if (count > Vocabulary::max_size) {
    throw Error({.what = "a vocabulary file has too many lines",
                 .where = file.string(),
                 .expected = "at most " + std::to_string(Vocabulary::max_size),
                 .found = std::to_string(count),
                 .fix = {}});
  }
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    start = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace

void read_clip_files(const fs::path& folder, Spec& spec, FolderProblems& problems) {
  const fs::path vocabulary = folder / "vocab.json";
  problems.collect([&] {
    read_vocabulary(parse_python_json(read_file(vocabulary), vocabulary.string()),
                    vocabulary.string(), spec.vocabulary, problems);
  });
  const fs::path merges = folder / "merges.txt";
  problems.collect([&] {
    std::size_t number = 0;
    for (const std::string& line : lines_of(merges)) {
      ++number;
      if (line.empty() || line.starts_with("#version")) continue;
      add_merge(line, merges.string() + ":" + std::to_string(number), spec.clip, problems);
    }
  });
  spec.begin = "<|startoftext|>";
  spec.end = spec.pad = spec.unknown = "<|endoftext|>";
  spec.pair_separators = 2;
  spec.pair_type = 0;
}

void read_bert_files(const fs::path& folder, Spec& spec, FolderProblems& problems) {
  spec.is_clip = false;
  problems.collect([&] {
    std::int64_t id = 0;
    for (const std::string& token : lines_of(folder / "vocab.txt")) {
      spec.vocabulary.set(id++, token);
    }
  });
  spec.begin = "[CLS]";
  spec.end = "[SEP]";
  spec.pad = "[PAD]";
  spec.unknown = "[UNK]";
}

}  // namespace espalier::tokenizer
