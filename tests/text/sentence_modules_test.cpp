#include <espalier/text/sentence_modules.hpp>

#include <gmock/gmock.h>
#include <unistd.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class SentenceModulesTest : public testing::Test {
 protected:
  SentenceModulesTest() {
    put("modules.json", R"([{"path": "", "type": "a.b.Transformer"},
                            {"path": "1_Pooling", "type": "a.b.Pooling"}])");
    put("1_Pooling/config.json", "{}");
  }
  ~SentenceModulesTest() override { fs::remove_all(folder_); }

  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, text);
  }
  SentenceModules read() {
    Problems problems;
    SentenceModules modules = read_sentence_modules(folder_, problems);
    said_.clear();
    for (const Problem& problem : problems.list()) said_ += to_string(problem) + "\n";
    return modules;
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("sentence_modules_" + std::to_string(::getpid()));
  std::string said_;
};

TEST_F(SentenceModulesTest, PoolsByTheMeanUnlessItIsToldOtherwise) {
  EXPECT_EQ(read().pooling, SentencePooling::mean);
  put("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": false})");
  EXPECT_EQ(read().pooling, SentencePooling::mean);
  put("1_Pooling/config.json", R"({"pooling_mode": "cls", "pooling_mode_mean_tokens": true})");
  EXPECT_EQ(read().pooling, SentencePooling::cls);
  put("1_Pooling/config.json", R"({"pooling_mode": ["max"]})");
  EXPECT_EQ(read().pooling, SentencePooling::max);
  EXPECT_EQ(said_, "");
  put("1_Pooling/config.json", R"({"pooling_mode": ["max", "cls"]})");
  (void)read();
  EXPECT_THAT(said_, AllOf(HasSubstr("1_Pooling/config.json"), HasSubstr("max, cls")));
  fs::remove(folder_ / "modules.json");
  EXPECT_EQ(read().model, folder_);
  EXPECT_EQ(said_, "");
}

TEST_F(SentenceModulesTest, PassesOverAPoolingOfAnotherOutput) {
  put("modules.json", R"([{"path": "1_Pooling", "type": "a.b.Pooling"},
                          {"path": "2_Pooling", "type": "a.b.Pooling"},
                          {"path": "3_Normalize", "type": "a.b.Normalize"}])");
  put("1_Pooling/config.json", R"({"pooling_mode_cls_token": true})");
  put("2_Pooling/config.json",
      R"({"pooling_mode_mean_tokens": true, "output_key": "query_embedding"})");
  const SentenceModules modules = read();
  EXPECT_EQ(said_, "");
  EXPECT_EQ(modules.pooling, SentencePooling::cls);
  EXPECT_TRUE(modules.normalize);
  put("2_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  (void)read();
  EXPECT_THAT(said_, HasSubstr("two poolings"));
}

TEST_F(SentenceModulesTest, KnowsTheDefaultPrompt) {
  put("config_sentence_transformers.json",
      R"({"prompts": {"query": "query: "}, "default_prompt_name": null})");
  EXPECT_EQ(read().prompt, "");
  put("config_sentence_transformers.json",
      R"({"prompts": {"query": "query: "}, "default_prompt_name": "query"})");
  EXPECT_EQ(read().prompt, "query: ");
  EXPECT_EQ(said_, "");
  put("1_Pooling/config.json", R"({"include_prompt": false})");
  (void)read();
  EXPECT_THAT(said_, HasSubstr("include_prompt"));
  put("config_sentence_transformers.json",
      R"({"prompts": {"query": "query: "}, "default_prompt_name": "passage"})");
  (void)read();
  EXPECT_THAT(said_, HasSubstr("\"passage\""));
}

TEST_F(SentenceModulesTest, FindsTheTransformersFolderAndStaysInside) {
  put("modules.json", R"([{"path": "0_Transformer", "type": "a.b.Transformer"}])");
  EXPECT_EQ(read().model, folder_ / "0_Transformer");
  EXPECT_EQ(model_folder(folder_), folder_ / "0_Transformer");
  put("modules.json", R"([{"path": "../0", "type": "a.b.Transformer"},
                          {"path": "/etc", "type": "a.b.Transformer"}, 7,
                          {"path": "2_Dense", "type": "a.b.Dense"}])");
  EXPECT_EQ(read().model, folder_);
  EXPECT_THAT(said_, AllOf(HasSubstr("../0"), HasSubstr("/etc"), HasSubstr("null"),
                           HasSubstr("a.b.Dense")));
  put("modules.json", "{");
  EXPECT_EQ(model_folder(folder_), folder_);
}

TEST_F(SentenceModulesTest, RefusesToNormaliseAnotherOutput) {
  put("modules.json", R"([{"path": "2_Normalize", "type": "a.b.Normalize"}])");
  put("2_Normalize/config.json", R"({"module_input_name": "sentence_embedding"})");
  EXPECT_TRUE(read().normalize);
  EXPECT_EQ(said_, "");
  put("2_Normalize/config.json", R"({"module_input_name": "token_embeddings"})");
  (void)read();
  EXPECT_THAT(said_, HasSubstr("token_embeddings"));
}

}  // namespace
}  // namespace espalier
