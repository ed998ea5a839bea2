#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "text/tokenizer_files.hpp"

namespace espalier {
namespace {

using namespace testing_support;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Ids = std::vector<std::int64_t>;

std::vector<std::string> clip_texts() {
  const Json root = read_json(data / "tokenizers/clip.json");
  std::vector<std::string> texts;
  for (const Json& one : root["cases"]) texts.push_back(one["text"].get<std::string>());
  return texts;
}

void expect_cases(const Tokenizer& tokenizer, const std::string& file, const std::string& key) {
  const Json cases = read_json(data / "tokenizers" / file)["cases"];
  ASSERT_GT(cases.size(), 250u);
  for (const Json& one : cases) {
    const Json& expected = key.empty() ? one : one[key];
    const auto text = one["text"].get<std::string>();
    const Encoding got = one.contains("pair")
                             ? tokenizer.encode(text, one["pair"].get<std::string>())
                             : tokenizer.encode(text);
    EXPECT_EQ(got.ids, expected["ids"].get<Ids>()) << one["text"].dump();
    EXPECT_EQ(got.full_length, expected["count"].get<std::int64_t>()) << one["text"].dump();
    if (expected.contains("token_type_ids")) {
      EXPECT_EQ(got.type_ids, expected["token_type_ids"].get<Ids>()) << one["text"].dump();
    }
  }
}

TEST(TokenizerTest, ClipGivesTheReferencesIds) {
  expect_cases(open_tokenizer(clip_folder), "clip.json", "");
}

TEST(TokenizerTest, ClipGivesTheSameIdsFromTokenizerJson) {
  expect_cases(open_tokenizer(data / "tokenizers/clip-json"), "clip.json", "");
}

TEST(TokenizerTest, BertGivesTheReferencesIds) {
  expect_cases(open_tokenizer(bert_folder), "bert.json", "uncased");
}

TEST(TokenizerTest, BertGivesTheSameIdsFromTokenizerJson) {
  expect_cases(open_tokenizer(data / "tokenizers/bert-json"), "bert.json", "uncased");
}

TEST_F(TokenizerFolderTest, CasedBertGivesTheReferencesIds) {
  copy(bert_folder, bert_files);
  write_file(folder_ / "tokenizer_config.json",
             R"({"do_lower_case": false, "model_max_length": 64})");
  expect_cases(open_tokenizer(folder_), "bert.json", "cased");
}

// Where a model's special tokens are normalised, capitals are special too. The pattern of published
// files does not name them.
TEST_F(TokenizerFolderTest, PublishedClipFilesNormaliseSpecialTokens) {
  copy(data / "tokenizers/clip-json", json_files);
  Json root = read_json(folder_ / "tokenizer.json");
  for (Json& token : root["added_tokens"]) token["normalized"] = true;
  auto& pattern = root["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"];
  pattern = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
  write_file(folder_ / "tokenizer.json", root.dump());
  EXPECT_THAT(open_tokenizer(folder_).encode("a<|ENDOFTEXT|>").ids,
              ElementsAre(49406, 320, 49407, 49407));
}

// Transformers 5.24 for every way to write a special token, from AutoTokenizer: where a text is
// normalised, `<|ENDOFTEXT|>` is the special token too.
TEST_F(TokenizerFolderTest, TheLastEntryOfASpecialTokenCounts) {
  const auto normalizes = [&](const Json& eos, const Json& unk, const Json& pad) {
    copy(clip_folder, {"vocab.json", "merges.txt"});
    const Json config{{"eos_token", eos}, {"unk_token", unk}, {"pad_token", pad}};
    write_file(folder_ / "tokenizer_config.json", config.dump());
    return open_tokenizer(folder_).encode("<|ENDOFTEXT|>").ids.size() == 3;
  };
  const Json text = "<|endoftext|>";
  const Json yes{{"content", "<|endoftext|>"}, {"normalized", true}};
  const Json no{{"content", "<|endoftext|>"}, {"normalized", false}};
  EXPECT_FALSE(normalizes(text, text, text));
  EXPECT_TRUE(normalizes(text, text, yes));
  EXPECT_TRUE(normalizes(text, yes, text));
  EXPECT_FALSE(normalizes(yes, yes, text));
  EXPECT_TRUE(normalizes(yes, yes, yes));
  EXPECT_FALSE(normalizes(yes, no, yes));
  EXPECT_TRUE(normalizes(no, yes, no));
}

TEST_F(TokenizerFolderTest, TheConfigurationMayListAddedTokens) {
  copy(clip_folder, clip_files);
  write_file(folder_ / "tokenizer_config.json", R"({"added_tokens_decoder": {
      "49406": {"content": "<|startoftext|>", "normalized": true, "special": true},
      "49407": {"content": "<|endoftext|>", "normalized": false, "special": true},
      "49408": {"content": "<extra>", "normalized": false, "special": false}}})");
  const Tokenizer clip = open_tokenizer(folder_);
  EXPECT_THAT(clip.encode("<|STARTOFTEXT|>a<extra>").ids,
              ElementsAre(49406, 49406, 320, 49408, 49407));
  EXPECT_GT(clip.encode("<|ENDOFTEXT|>").ids.size(), 3u);
  write_file(
      folder_ / "tokenizer_config.json",
      R"({"added_tokens_decoder": {"5": {"content": "<|endoftext|>"}, "x": {"content": "y"}}})");
  EXPECT_THAT(error(), HasSubstr("an added token cannot be used"));
}

// tokenizers 0.23: normalizers.NFC() of U+AC00 U+11A7 is the same two characters.
TEST(TokenizerTest, KeepsTheHangulCharacterThatComposesWithNothing) {
  const Tokenizer clip = open_tokenizer(clip_folder);
  const Encoding both = clip.encode("\uAC00\u11A7");
  EXPECT_GT(both.ids.size(), clip.encode("\uAC00").ids.size());
}

TEST(TokenizerTest, PadsABatchToItsLongestText) {
  const Tokenizer clip = open_tokenizer(clip_folder);
  const std::vector<std::string> texts{"a photo of a", "flower"};
  const TokenRows batch = clip.encode_batch(texts);
  EXPECT_EQ(batch.rows, 2);
  EXPECT_EQ(batch.columns, 6);
  EXPECT_THAT(batch.ids, ElementsAre(49406, 320, 1125, 539, 320, 49407,  //
                                     49406, 4055, 49407, 49407, 49407, 49407));
  EXPECT_THAT(batch.lengths, ElementsAre(6, 3));
  EXPECT_EQ(batch.truncated, 0);
  EXPECT_EQ(clip.encode_batch({}).rows, 0);
}

TEST(TokenizerTest, CutsLongTextsAndSaysHowMany) {
  const Tokenizer clip = open_tokenizer(clip_folder).with_max_length(4);
  const std::vector<std::string> texts{"a photo of a", "flower"};
  const TokenRows batch = clip.encode_batch(texts);
  EXPECT_THAT(batch.ids, ElementsAre(49406, 320, 1125, 49407, 49406, 4055, 49407, 49407));
  EXPECT_EQ(batch.truncated, 1);
  EXPECT_EQ(clip.max_length(), 4);
}

TEST(TokenizerTest, BatchesEqualSingleTexts) {
  for (const fs::path& folder : {clip_folder, bert_folder}) {
    const Tokenizer tokenizer = open_tokenizer(folder);
    const std::vector<std::string> texts = clip_texts();
    const TokenRows batch = tokenizer.encode_batch(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto row = batch.ids.begin() + static_cast<std::ptrdiff_t>(i) * batch.columns;
      EXPECT_EQ(Ids(row, row + batch.lengths[i]), tokenizer.encode(texts[i]).ids);
    }
  }
}

TEST(TokenizerTest, MayBeUsedFromSeveralThreads) {
  const Tokenizer clip = open_tokenizer(clip_folder);
  const std::vector<std::string> texts = clip_texts();
  std::vector<TokenRows> batches(4);
  std::vector<std::jthread> threads;
  for (TokenRows& batch : batches) {
    threads.emplace_back([&] { batch = clip.encode_batch(texts); });
  }
  threads.clear();
  for (const TokenRows& batch : batches) EXPECT_EQ(batch.ids, batches[0].ids);
}

// Transformers 5.24: decode(ids, skip_special_tokens=True).
TEST(TokenizerTest, Decodes) {
  const Tokenizer clip = open_tokenizer(clip_folder);
  EXPECT_EQ(clip.decode(clip.encode("A  photo of a flower, naïve café!").ids),
            "a photo of a flower , naïve café !");
  const Tokenizer bert = open_tokenizer(bert_folder);
  EXPECT_EQ(bert.decode(bert.encode("A flower, it's yellow.").ids), "a flower, it ' s yellow.");
  EXPECT_THAT(error_of([&] { (void)bert.decode(Ids{3000}); }), HasSubstr("0 to 2999"));
}

TEST(TokenizerTest, KnowsItsSpecialIds) {
  const Tokenizer bert = open_tokenizer(bert_folder);
  EXPECT_EQ(bert.special().begin, 2);
  EXPECT_EQ(bert.special().end, 3);
  EXPECT_EQ(bert.special().pad, 0);
  EXPECT_EQ(bert.special().unknown, 1);
  EXPECT_EQ(bert.id("[MASK]"), 4);
  EXPECT_FALSE(bert.id("no such token"));
  EXPECT_EQ(bert.vocabulary_size(), 3000);
  EXPECT_EQ(bert.max_length(), 64);
  EXPECT_EQ(open_tokenizer(clip_folder).special().pad, 49407);
}

TEST(TokenizerTest, RefusesTextThatIsNotUtf8) {
  const Tokenizer clip = open_tokenizer(clip_folder);
  EXPECT_THAT(error_of([&] { (void)clip.encode("caf\xe9"); }),
              AllOf(HasSubstr("not UTF-8"), HasSubstr("0xe9 at position 3")));
  const std::vector<std::string> texts{"a", "\xff", "b", "\xed\xa0\x80"};
  EXPECT_THAT(error_of([&] { (void)clip.encode_batch(texts); }),
              AllOf(HasSubstr("text 2"), HasSubstr("text 4")));
}

// Merging without a queue would take minutes here.
TEST(TokenizerTest, AVeryLongWordIsNoTrouble) {
  const Tokenizer clip = open_tokenizer(clip_folder);
  EXPECT_GT(clip.encode(std::string(1 << 20, 'a')).full_length, 1000);
}

TEST_F(TokenizerFolderTest, TakesTheSmallestLimit) {
  copy(bert_folder, bert_files);
  EXPECT_EQ(open_tokenizer(folder_).max_length(), 64);
  write_file(folder_ / "sentence_bert_config.json", R"({"max_seq_length": 48})");
  EXPECT_EQ(open_tokenizer(folder_).max_length(), 48);
  write_file(folder_ / "config.json", R"({"max_position_embeddings": 32})");
  EXPECT_EQ(open_tokenizer(folder_).max_length(), 32);
  write_file(folder_ / "tokenizer_config.json", R"({"model_max_length": 1e30})");
  EXPECT_EQ(open_tokenizer(folder_).max_length(), 32);
  write_file(folder_ / "tokenizer_config.json", R"({"model_max_length": 1})");
  EXPECT_THAT(error(), HasSubstr("model_max_length"));
}

}  // namespace
}  // namespace espalier
