#include <espalier/peft/adapter.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <espalier/core/content.hpp>
#include <espalier/core/file.hpp>
#include <espalier/peft/module_names.hpp>
#include <espalier/peft/published.hpp>
#include <limits>

#include "support.hpp"

namespace espalier {
namespace {

using peft_test::Folder;
using peft_test::refusal;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Adapter small() {
  return {.config = adapter_config_of("LORA", {"b.q_proj", "a.q_proj"}),
          .tensors = {{"a.q_proj.lora_A.weight", at::ones({2, 3})},
                      {"base_model.vera_A", at::ones({1})}}};
}

TEST(Adapter, IsWrittenUnderPeftsNamesAndReadBack) {
  const Folder folder;
  write_adapter(folder / "one", small(),
                {{"espalier.trial_id", "0a"}, {"espalier.encoder.weights", "f0"}});
  const SafeTensors file = SafeTensors::open(folder / "one/adapter_model.safetensors");
  EXPECT_THAT(file.names(), testing::UnorderedElementsAre("base_model.model.a.q_proj.lora_A.weight",
                                                          "base_model.vera_A"));
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.metadata().at("espalier.trial_id"), "0a");
  const Adapter back = read_adapter(folder / "one");
  EXPECT_EQ(back.config.at("peft_type"), "LORA");
  EXPECT_EQ(back.config.at("target_modules"), Json({"a.q_proj", "b.q_proj"}));
  ASSERT_EQ(back.tensors.size(), 2u);
  EXPECT_EQ(back.tensors[0].first, "a.q_proj.lora_A.weight");
  EXPECT_EQ(back.base_content, "f0");
}

TEST(Adapter, IsTheSameBytesTwice) {
  const Folder folder;
  write_adapter(folder / "one", small());
  write_adapter(folder / "two", small());
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
    EXPECT_EQ(read_file(folder / "one" / name), read_file(folder / "two" / name));
  }
}

TEST(Adapter, RefusesWhatIsNone) {
  const Folder folder;
  const auto why = [&] { return refusal([&] { (void)read_adapter(folder.path()); }); };
  EXPECT_THAT(why(), HasSubstr("the folder holds no adapter"));
  write_file(folder / "adapter_config.json", "[1, 2]");
  EXPECT_THAT(why(), HasSubstr("does not say what method"));
  write_file(folder / "adapter_config.json", "{\"peft_type\": 3}");
  EXPECT_THAT(why(), HasSubstr("does not say what method"));
  write_file(folder / "adapter_config.json", std::string(2 << 20, '['));
  EXPECT_THAT(why(), HasSubstr("adapter_config.json"));
  write_file(folder / "adapter_config.json", std::string(100000, '['));
  EXPECT_THAT(why(), HasSubstr("adapter_config.json"));
  write_file(folder / "adapter_config.json", "{\"peft_type\": \"LORA\"}");
  write_file(folder / "adapter_model.bin", "PK");
  EXPECT_THAT(why(), HasSubstr("pickle can run any code"));
  EXPECT_THAT(why(), HasSubstr("save_pretrained"));
}

TEST(Adapter, TellsAnotherBaseByItsName) {
  const std::string hub = "openai/clip-vit-base-patch16";
  for (const char* folder :
       {"/models/clip-vit-base-patch16", "/models/clip-vit-base-patch16/", "clip-vit-base-patch16",
        "/cache/models--openai--clip-vit-base-patch16/snapshots/57c2164"}) {
    EXPECT_TRUE(may_be_base(hub, folder)) << folder;
    EXPECT_TRUE(may_be_base(folder, hub)) << folder;
  }
  EXPECT_TRUE(may_be_base("builtin:flora-clip", "/usr/share/espalier/flora-clip"));
  EXPECT_FALSE(may_be_base(hub, "/models/clip-vit-base-patch32"));
  EXPECT_FALSE(may_be_base(hub, "/models/openai/other"));
}

TEST(Adapter, TellsAnotherBaseByItsContent) {
  const Folder folder;
  const std::filesystem::path base = folder / "model";
  std::filesystem::create_directories(base);
  write_file(base / "config.json", "{}");
  Adapter adapter{.config = {{"base_model_name_or_path", "hub/model"}}, .tensors = {}};
  EXPECT_EQ(other_base(adapter, base), "") << "nothing is known of its content";
  EXPECT_THAT(other_base(adapter, base.parent_path()), HasSubstr("hub/model"));
  adapter.base_content = hex(ContentHasher().digest(base));
  EXPECT_EQ(other_base(adapter, base), "");
  write_file(base / "config.json", "{ }");
  EXPECT_THAT(other_base(adapter, base),
              AllOf(HasSubstr("sha256:" + adapter.base_content), HasSubstr(base.string())));
  EXPECT_EQ(other_base(adapter, {}), "") << "it comes from no folder";
}

TEST(CopyTensors, CopiesAllOrNone) {
  const std::vector<Parameters::Entry> into = {{"a", at::zeros({2})}, {"b", at::zeros({2})}};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Parameters::Entry> wrong = {{"a", at::ones({2})}, {"c", at::full({2}, nan)}};
  const std::string message = refusal([&] { copy_tensors(wrong, into, "file"); });
  EXPECT_THAT(message, HasSubstr("lacks \"b\""));
  EXPECT_THAT(message, HasSubstr("has \"c\", which belongs to nothing"));
  EXPECT_EQ(into[0].second.sum().item<float>(), 0);
  copy_tensors({{"b", at::ones({2})}, {"a", at::ones({2})}}, into, "file");
  EXPECT_EQ(into[1].second.sum().item<float>(), 2);
}

TEST(CopyTensors, RefusesShapesAndNumbersThatAreNone) {
  const std::vector<Parameters::Entry> into = {{"a", at::zeros({2})}};
  EXPECT_THAT(refusal([&] {
                copy_tensors({{"a", at::ones({3})}}, into, "f");
              }),
              HasSubstr("another shape"));
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal([&] {
                copy_tensors({{"a", at::full({2}, inf)}}, into, "f");
              }),
              HasSubstr("NaN or infinity"));
}

TEST(CopyTensors, CountsWhatIsTooManyToName) {
  std::vector<Parameters::Entry> into;
  for (int i = 0; i < 50; ++i) into.emplace_back("p" + std::to_string(i), at::zeros({1}));
  EXPECT_THAT(refusal([&] { copy_tensors({}, into, "f"); }),
              HasSubstr("40 more tensors do not fit"));
}

TEST(PublishedMethod, KeepsPeftsKeys) {
  const PublishedMethod method = published_method(
      parse_json(R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "use_rslora": true,
                     "target_modules": ["q_proj"], "rank_pattern": {"v_proj": 2},
                     "layers_to_transform": 3, "corda_config": null, "task_type": null})",
                 "a"),
      "a");
  EXPECT_EQ(method.component.use, "lora");
  EXPECT_EQ(method.component.params, parse_json(R"({"r": 4, "lora_alpha": 8, "use_rslora": true,
      "target_modules": ["q_proj"], "rank_pattern": ["v_proj=2"], "layers_to_transform": [3]})",
                                                "b"));
  EXPECT_TRUE(method.warnings.empty());
}

TEST(PublishedMethod, TakesATextForAnExpression) {
  const auto params = [](const char* targets) {
    return published_method({{"peft_type", "LORA"}, {"target_modules", targets}}, "a")
        .component.params;
  };
  EXPECT_EQ(params(".*q_proj").at("target_regex"), ".*q_proj");
  EXPECT_EQ(params("all-linear").at("target_modules"), Json({"all-linear"}));
}

TEST(PublishedMethod, WarnsOfKeysThatItDoesNotKnowAndRefusesTypes) {
  const PublishedMethod method =
      published_method({{"peft_type", "LORA"}, {"use_magic", true}}, "a");
  EXPECT_THAT(method.warnings, ElementsAre(HasSubstr("use_magic")));
  EXPECT_THAT(refusal([] {
                (void)published_method({{"peft_type", "MAGIC"}}, "a");
              }),
              HasSubstr("MAGIC"));
}

TEST(ModuleNames, AreFoundUnderTheNamesOfHalvesAndTaskModels) {
  const auto encoder = peft_test::clip();
  const auto here = [&](const std::string& name) {
    return with_names_here({.config = Json::object(), .tensors = {{name, at::ones({1})}}}, *encoder)
        .tensors.front()
        .first;
  };
  const std::string inside = "encoder.layers.0.self_attn.q_proj.lora_A.weight";
  EXPECT_EQ(here("vision_model." + inside), "vision_model." + inside);
  EXPECT_EQ(here(inside), "vision_model." + inside);
  EXPECT_EQ(here("clip.text_model." + inside), "text_model." + inside);
  EXPECT_EQ(here("nothing.of.it"), "nothing.of.it");
}

TEST(ModuleNames, OfATowerThatIsNotThereAreLeftOut) {
  const auto encoder = peft_test::clip();
  const auto images = encoder->part({.images = true});
  const std::string module = "encoder.layers.0.self_attn.q_proj";
  const Adapter both{
      .config = adapter_config_of("LORA", {"vision_model." + module, "text_model." + module}),
      .tensors = {{"vision_model." + module + ".lora_A.weight", at::ones({1})},
                  {"text_model." + module + ".lora_A.weight", at::ones({1})}}};
  const Adapter part = with_names_here(both, *images);
  ASSERT_EQ(part.tensors.size(), 1u);
  EXPECT_EQ(part.tensors.front().first, "vision_model." + module + ".lora_A.weight");
  EXPECT_EQ(part.config.at("target_modules"), Json({"vision_model." + module}));
  EXPECT_EQ(with_names_here(both, *encoder).tensors.size(), 2u);
}

TEST(ModuleNames, OfVitAreThoseOfTransformers5InFiles) {
  const auto encoder =
      load_pretrained(peft_test::fs::path(ESPALIER_SOURCE_DIR) / "tests/data/encoders/vit-tiny");
  const std::string here = "encoder.layer.1.attention.attention.query";
  const Adapter adapter{.config = adapter_config_of("LORA", {here}),
                        .tensors = {{here + ".lora_A.weight", at::ones({1})}}};
  const Adapter there = with_names_there(adapter, *encoder);
  EXPECT_EQ(there.tensors.front().first, "layers.1.attention.q_proj.lora_A.weight");
  EXPECT_EQ(there.config.at("target_modules"), Json({"layers.1.attention.q_proj"}));
  for (const Adapter& form : {there, adapter}) {
    const Adapter back = with_names_here(form, *encoder);
    EXPECT_EQ(back.tensors.front().first, here + ".lora_A.weight");
    EXPECT_EQ(back.config.at("target_modules"), Json({here}));
  }
}

}  // namespace
}  // namespace espalier
