// Tokenizer files that are damaged, absent, or would give other ids than the reference.
#include <gmock/gmock.h>

#include <fstream>
#include <utility>

#include "text/tokenizer_files.hpp"

namespace espalier {
namespace {

using namespace testing_support;
using TokenizerDamageTest = TokenizerFolderTest;
using testing::AllOf;
using testing::HasSubstr;

// Without the syncs of write_file(), for tests that write hundreds of files.
void put(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

TEST_F(TokenizerDamageTest, DamagedFilesAreErrorsOrRead) {
  const std::pair<fs::path, std::vector<std::string>> kinds[] = {
      {clip_folder, clip_files},
      {bert_folder, bert_files},
      {data / "tokenizers/bert-json", json_files}};
  const auto try_it = [&] {
    try {
      (void)open_tokenizer(folder_).encode("A photo, of a naïve café \u6c34 12");
    } catch (const Error&) {
    }
  };
  for (const auto& [from, names] : kinds) {
    for (const std::string& name : names) {
      const std::string whole = read_file(from / name);
      copy(from, names);
      for (std::size_t i = 0; i < 20; ++i) {
        const std::size_t place = i * whole.size() / 20;
        put(folder_ / name, whole.substr(0, place));
        try_it();
        std::string flipped = whole;
        flipped[place] = static_cast<char>(flipped[place] ^ 0x80);
        put(folder_ / name, flipped);
        EXPECT_NE(error(), "no error") << name << ": a byte that is no UTF-8 at " << place;
      }
    }
  }
}

TEST_F(TokenizerDamageTest, AFolderInPlaceOfAFileAndAbsentFilesAreErrors) {
  EXPECT_THAT(error(), HasSubstr("none of them"));
  copy(clip_folder, {"vocab.json"});
  EXPECT_THAT(error(), HasSubstr("merges.txt"));
  fs::create_directories(folder_ / "tokenizer.json");
  EXPECT_THAT(error(), HasSubstr("not a regular file"));
  fs::remove_all(folder_);
  EXPECT_THAT(error(), HasSubstr("no such folder"));
}

TEST_F(TokenizerDamageTest, ReportsAllMistakesOfAFolder) {
  copy(clip_folder, clip_files);
  write_file(folder_ / "merges.txt", "#version: 0.2\na b c\nnosuch token</w>\n");
  EXPECT_THAT(error(), HasSubstr("merges.txt:2"));
  write_file(folder_ / "vocab.json", R"({"a": -1, "b": 0, "c": 0})");
  EXPECT_THAT(error(), AllOf(HasSubstr("\"a\""), HasSubstr("\"c\""), HasSubstr("merges.txt:2"),
                             HasSubstr("\"<|endoftext|>\"")));
}

TEST_F(TokenizerDamageTest, RefusesWhatWouldGiveOtherIds) {
  copy(data / "tokenizers/clip-json", json_files);
  const Json root = read_json(folder_ / "tokenizer.json");
  const auto error_with = [&](const char* pointer, const Json& value) {
    Json changed = root;
    changed[Json::json_pointer(pointer)] = value;
    write_file(folder_ / "tokenizer.json", changed.dump());
    return error();
  };
  EXPECT_THAT(error_with("/model/type", "Unigram"), HasSubstr("model.type"));
  EXPECT_THAT(error_with("/model/byte_fallback", true), HasSubstr("byte_fallback"));
  EXPECT_THAT(error_with("/normalizer", nullptr), HasSubstr("normalizer"));
  EXPECT_THAT(error_with("/pre_tokenizer/pretokenizers/0/pattern/Regex", ".*"),
              HasSubstr("pattern"));
  EXPECT_THAT(error_with("/post_processor", nullptr), HasSubstr("post_processor"));
  EXPECT_THAT(error_with("/added_tokens/0/single_word", true), HasSubstr("single_word"));
  copy(clip_folder, clip_files);
  write_file(folder_ / "tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})");
  EXPECT_THAT(error(), HasSubstr("RobertaTokenizer"));
}

TEST_F(TokenizerDamageTest, MissesMergesAndTokensThatWereCutOff) {
  copy(clip_folder, clip_files);
  std::string merges = read_file(folder_ / "merges.txt");
  merges.erase(merges.rfind('\n', merges.size() / 2) + 1);
  write_file(folder_ / "merges.txt", merges);
  EXPECT_THAT(error(), AllOf(HasSubstr("merges are missing"), HasSubstr("the first is")));
  write_file(folder_ / "merges.txt", "");
  EXPECT_THAT(error(), HasSubstr("merges are missing"));

  fs::remove_all(folder_);
  copy(bert_folder, bert_files);
  const auto error_with_places = [&](int places) {
    write_file(folder_ / "config.json", Json{{"vocab_size", places}}.dump());
    return error();
  };
  EXPECT_EQ(error_with_places(3000 + 127), "no error");
  EXPECT_THAT(error_with_places(3000 + 128), HasSubstr("a vocabulary is cut off"));
  EXPECT_THAT(error_with_places(2999), HasSubstr("does not embed"));
}

}  // namespace
}  // namespace espalier
