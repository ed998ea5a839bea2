// Settings beside a vocabulary, as Transformers 5.24 and sentence-transformers 6.2 read them;
// tests/python/models_test.py asks these libraries themselves.
#include <gmock/gmock.h>

#include "text/tokenizer_files.hpp"

namespace espalier {
namespace {

using namespace testing_support;
using testing::AllOf;
using testing::HasSubstr;
using Ids = std::vector<std::int64_t>;

// A vocabulary of a few words: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4, then these from 5.
const std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nrose\nRose\nlily\n日\ncafe\ncafé\n";

class TokenizerSettingsTest : public TokenizerFolderTest {
 protected:
  TokenizerSettingsTest() { put("vocab.txt", words); }

  void put(const std::string& name, const std::string& text) const {
    write_file(folder_ / name, text);
  }
  Ids ids(const std::string& text) const { return open_tokenizer(folder_).encode(text).ids; }

  // The same vocabulary as tokenizer.json, with the given normaliser.
  void put_json(const Json& normalizer) {
    Json vocabulary;
    std::int64_t id = 0;
    for (std::size_t at = 0; at < words.size(); at = words.find('\n', at) + 1) {
      vocabulary[words.substr(at, words.find('\n', at) - at)] = id++;
    }
    Json root = read_json(data / "tokenizers/bert-json/tokenizer.json");
    root["normalizer"].update(normalizer);
    root["model"]["vocab"] = vocabulary;
    for (Json& token : root["added_tokens"]) token["id"] = vocabulary.at(token["content"]);
    fs::remove(folder_ / "vocab.txt");
    put("tokenizer.json", root.dump());
  }
};

TEST_F(TokenizerSettingsTest, ReadsVocabulariesThatEditorsTouched) {
  put("vocab.txt", "\xEF\xBB\xBF" + words + "\n\r\n\n");
  put("config.json", R"({"vocab_size": 11})");
  EXPECT_EQ(ids("rose"), (Ids{2, 5, 3}));
  EXPECT_EQ(open_tokenizer(folder_).special().pad, 0);
}

TEST_F(TokenizerSettingsTest, TakesTheConfigurationsWordBeforeTokenizerJsons) {
  put_json({{"lowercase", true}, {"strip_accents", nullptr}, {"handle_chinese_chars", true}});
  EXPECT_EQ(ids("Rose café 日rose"), (Ids{2, 5, 9, 8, 5, 3}));
  put("tokenizer_config.json", R"({"tokenizer_class": "BertTokenizer", "do_lower_case": false,
      "strip_accents": null, "tokenize_chinese_chars": false})");
  EXPECT_EQ(ids("Rose café 日rose"), (Ids{2, 6, 10, 1, 3}));
  put("tokenizer_config.json", R"({"tokenizer_class": "PreTrainedTokenizerFast",
      "do_lower_case": false})");
  EXPECT_EQ(ids("Rose"), (Ids{2, 5, 3}));
}

TEST_F(TokenizerSettingsTest, RefusesToGuessWhatNobodySaid) {
  put_json({{"lowercase", false}, {"strip_accents", true}});
  put("tokenizer_config.json", R"({"tokenizer_class": "BertTokenizerFast"})");
  EXPECT_THAT(error(), AllOf(HasSubstr("do_lower_case"), HasSubstr("false, as tokenizer.json"),
                             HasSubstr("strip_accents")));
  fs::remove(folder_ / "tokenizer_config.json");
  EXPECT_EQ(ids("Rose café"), (Ids{2, 6, 9, 3})) << "nothing says whose tokenizer it is";
  put("config.json", R"({"model_type": "bert"})");
  EXPECT_THAT(error(), HasSubstr("do_lower_case"));
}

TEST_F(TokenizerSettingsTest, KnowsTokensThatWereAddedLater) {
  put("added_tokens.json", R"({"<two>": 12, "<New1>": 11})");
  EXPECT_EQ(ids("<new1> rose<two>"), (Ids{2, 11, 5, 12, 3}));
  put("added_tokens.json", R"({"<two>": 12})");
  EXPECT_THAT(error(), AllOf(HasSubstr("added_tokens.json"), HasSubstr("here 11")));
  put("added_tokens.json", R"({"<one>": 4000000000000})");
  EXPECT_THAT(error(), HasSubstr("cannot be used"));
  fs::remove(folder_ / "added_tokens.json");
  put("tokenizer_config.json", R"({"additional_special_tokens": ["<a>", {"content": "lily"}],
      "image_token": "<b>"})");
  EXPECT_EQ(ids("lilyrose<b><a>"), (Ids{2, 7, 5, 12, 11, 3}));
}

TEST_F(TokenizerSettingsTest, CutsTheSideThatIsNamed) {
  put("tokenizer_config.json", R"({"model_max_length": 4, "truncation_side": "left"})");
  const Tokenizer left = open_tokenizer(folder_);
  EXPECT_EQ(left.encode("rose lily cafe").ids, (Ids{2, 7, 9, 3}));
  EXPECT_EQ(left.encode("rose lily", "lily cafe").ids, (Ids{2, 3, 9, 3}));
  const std::vector<std::string> texts = {"rose lily cafe", "rose"};
  EXPECT_EQ(left.encode_batch(texts).ids, (Ids{2, 7, 9, 3, 2, 5, 3, 0}));
  put("tokenizer_config.json", R"({"truncation_side": "middle"})");
  EXPECT_THAT(error(), HasSubstr("truncation_side"));
}

TEST_F(TokenizerSettingsTest, HeedsTheSentenceEncodersSettings) {
  put("tokenizer_config.json", R"({"model_max_length": 8, "do_lower_case": false})");
  put("sentence_distilbert_config.json", R"({"max_seq_length": 16, "do_lower_case": true})");
  EXPECT_EQ(open_tokenizer(folder_).max_length(), 16);
  EXPECT_EQ(ids("ROSE Café"), (Ids{2, 5, 10, 3}));
  put("config.json", R"({"max_position_embeddings": 12})");
  EXPECT_EQ(open_tokenizer(folder_).max_length(), 12);
  put("sentence_bert_config.json", R"({"max_seq_length": null,
      "processing_kwargs": {"text": {"truncation": false}}, "module_output_name": "scores"})");
  EXPECT_THAT(error(), AllOf(HasSubstr("sentence_bert_config.json"), HasSubstr("processing_kwargs"),
                             HasSubstr("module_output_name")));
}

TEST_F(TokenizerSettingsTest, LeavesSpecialTokensOfATextAloneOnRequest) {
  EXPECT_EQ(ids("rose [SEP]"), (Ids{2, 5, 3, 3}));
  put("tokenizer_config.json", R"({"split_special_tokens": true})");
  EXPECT_EQ(ids("rose [SEP]"), (Ids{2, 5, 1, 1, 1, 3}));
}

TEST_F(TokenizerSettingsTest, ReadsATokenizerInATransformersFolder) {
  fs::create_directory(folder_ / "0_Transformer");
  fs::rename(folder_ / "vocab.txt", folder_ / "0_Transformer/vocab.txt");
  put("modules.json", R"([{"path": "0_Transformer", "type": "a.Transformer"}])");
  EXPECT_EQ(ids("rose"), (Ids{2, 5, 3}));
}

TEST_F(TokenizerSettingsTest, RefusesVocabulariesAndWordsWithoutBounds) {
  put("vocab.txt", std::string((std::size_t{1} << 22) + 2, '\n') + "a");
  EXPECT_THAT(error(), HasSubstr("too many lines"));
  put_json(Json::object());
  Json root = read_json(folder_ / "tokenizer.json");
  root["model"]["max_input_chars_per_word"] = std::int64_t{1} << 40;
  put("tokenizer.json", root.dump());
  EXPECT_THAT(error(), HasSubstr("max_input_chars_per_word"));
  fs::remove(folder_ / "tokenizer.json");
  put("vocab.txt", words);
  Json added;
  for (int i = 0; i < 10'001; ++i) added["<" + std::to_string(i) + ">"] = 11 + i;
  put("added_tokens.json", added.dump());
  EXPECT_THAT(error(), HasSubstr("too many added tokens"));
  copy(clip_folder, {"merges.txt"});
  put("vocab.json", R"({"a": 0, "b": 9000000000000000000})");
  EXPECT_THAT(error(), HasSubstr("\"b\""));
  put("vocab.json", std::string(100, '[') + std::string(100, ']'));
  EXPECT_THAT(error(), HasSubstr("nested too deeply"));
}

}  // namespace
}  // namespace espalier
