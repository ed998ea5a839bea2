#include <unistd.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/text/tokenizer.hpp>
#include <optional>

#include "parity_internal.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

// A WordPiece vocabulary alone, with one setting: removed at the end.
class VocabularyFolder {
 public:
  VocabularyFolder(const fs::path& vocabulary, bool lower)
      : path_(fs::temp_directory_path() / ("espalier-parity-" + std::to_string(::getpid()))) {
    fs::create_directory(path_);
    write_file(path_ / "vocab.txt", read_file(vocabulary));
    const Json settings = {{"tokenizer_class", "BertTokenizer"}, {"do_lower_case", lower}};
    write_file(path_ / "tokenizer_config.json", settings.dump());
  }
  VocabularyFolder(const VocabularyFolder&) = delete;
  VocabularyFolder& operator=(const VocabularyFolder&) = delete;
  ~VocabularyFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A folder, or a vocab.txt: beside the case, or where the data is.
fs::path vocabulary_of(const Json& cases, const fs::path& file, const fs::path& data) {
  const std::string name = cases.at("vocabulary").get<std::string>();
  const fs::path found = find_named(name, fs::absolute(file).parent_path(), data);
  if (fs::exists(found)) return found;
  throw Error({.what = "the case's vocabulary is not there",
               .where = file.string(),
               .expected = name + " beside the case or in the folder of the data",
               .found = {},
               .fix = "name that folder by --data DIR"});
}

bool same(const Encoding& actual, const Json& expected) {
  const bool types =
      !expected.contains("token_type_ids") || expected["token_type_ids"] == Json(actual.type_ids);
  const bool count = !expected.contains("count") || expected["count"] == actual.full_length;
  return expected.at("ids") == Json(actual.ids) && types && count;
}

// `key` is the member with the expected ids, or empty: the case itself.
TensorDifference compare(const Tokenizer& tokenizer, const Json& cases, const std::string& key) {
  std::size_t different = 0;
  std::string first;
  for (const Json& one : cases) {
    const auto text = one.at("text").get<std::string>();
    const auto pair = one.value("pair", std::string());
    const Encoding ids = pair.empty() ? tokenizer.encode(text) : tokenizer.encode(text, pair);
    if (same(ids, key.empty() ? one : one.at(key))) continue;
    if (different++ == 0) first = Json(text).dump();
  }
  TensorDifference row{.name = key.empty() ? "ids" : key + " ids",
                       .absolute = 0,
                       .relative = 0,
                       .tolerance = 0,
                       .failure = {}};
  if (different > 0) {
    row.failure = std::to_string(different) + " of " + std::to_string(cases.size()) +
                  " texts, such as " + first;
  }
  return row;
}

}  // namespace

Differences tokenizer_parity(const fs::path& file, const fs::path& data) try {
  const Json root = parse_json(read_file(file), file.string());
  const fs::path vocabulary = vocabulary_of(root, file, data);
  const auto length = root.at("max_length").get<std::int64_t>();
  if (fs::is_directory(vocabulary)) {
    const Tokenizer tokenizer = open_tokenizer(vocabulary).with_max_length(length);
    return {compare(tokenizer, root.at("cases"), "")};
  }
  Differences rows;
  for (const char* key : {"uncased", "cased"}) {
    const VocabularyFolder folder(vocabulary, std::string_view(key) == "uncased");
    const Tokenizer tokenizer = open_tokenizer(folder.path()).with_max_length(length);
    rows.push_back(compare(tokenizer, root.at("cases"), key));
  }
  return rows;
} catch (const Json::exception& error) {
  throw Error({.what = "the file is no case of texts and ids",
               .where = file.string(),
               .expected = "{\"vocabulary\", \"max_length\", \"cases\": [{\"text\", \"ids\"}]}",
               .found = error.what(),
               .fix = {}});
}

}  // namespace espalier::cli
