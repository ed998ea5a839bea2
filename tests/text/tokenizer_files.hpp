// Tokenizer files of the reference, and a folder in which copies of them may be damaged.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/text/tokenizer.hpp>
#include <functional>
#include <string>
#include <vector>

namespace espalier::testing_support {

namespace fs = std::filesystem;

inline const fs::path data = fs::path(ESPALIER_SOURCE_DIR) / "tests/data";
inline const fs::path clip_folder = data / "tokenizers/clip";
inline const fs::path bert_folder = data / "encoders/bert-tiny";

inline Json read_json(const fs::path& file) { return parse_json(read_file(file), file.string()); }

inline std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class TokenizerFolderTest : public testing::Test {
 protected:
  TokenizerFolderTest() { fs::create_directories(folder_); }
  ~TokenizerFolderTest() override { fs::remove_all(folder_); }

  void copy(const fs::path& from, const std::vector<std::string>& names) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    for (const std::string& name : names) fs::copy_file(from / name, folder_ / name);
  }
  std::string error() {
    return error_of([&] { (void)open_tokenizer(folder_); });
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("tokenizer_test_" + std::to_string(::getpid()));
};

inline const std::vector<std::string> clip_files{
    "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"};
inline const std::vector<std::string> bert_files{"vocab.txt", "tokenizer_config.json",
                                                 "special_tokens_map.json"};
inline const std::vector<std::string> json_files{"tokenizer.json", "tokenizer_config.json"};

}  // namespace espalier::testing_support
