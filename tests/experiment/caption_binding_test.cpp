// Captioners that are no functions: trials are named by what was recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using testing_support::component;
using testing_support::field;
using testing_support::only_if;
using testing_support::path;

class CaptionBindingTest : public testing_support::Experiment {
 protected:
  [[nodiscard]] Plan plan_of(const std::vector<std::string>& overrides = {}) const {
    std::vector<ComponentInfo> all = testing_support::components();
    all.push_back(component(
        "captioner", "openai", {"recorded", "text"},
        {path("captions", ""), field("model", FieldType::string, nullptr),
         only_if(field("base_url", FieldType::string, "http://a"), "false")}));
    return plan(
        "name: test\nbase:\n  dataset: flora\n  encoder: {use: classical}\n  graph: {use: none}\n"
        "  gnn: {use: mlp}\n  nodes: {fuse: bimodal}\n  captioner: {use: openai, model: m}\n",
        overrides, std::move(all));
  }
  static std::string id_of(const Plan& made, std::size_t trial = 0) {
    return hex(made.trials()[trial].trial_id);
  }
};

TEST_F(CaptionBindingTest, NamesTheSetThatIsMissing) {
  const Plan made = plan_of();
  ASSERT_THAT(made.missing_captions(), SizeIs(1));
  const PlannedCaptions& set = made.missing_captions()[0];
  EXPECT_EQ(set.captioner.at("model"), "m");
  EXPECT_EQ(set.dataset.at("use"), "flora");
  EXPECT_EQ(set.asked.at("params"), Json({{"captions", ""}, {"model", "m"}}));
  EXPECT_EQ(set.file.parent_path(), folder_ / "results/.captions");
  const Json identity = made.identity(0);
  EXPECT_EQ(set.file.stem(), hex(sha256("{\"captioner\":" + canonical_json(identity["captioner"]) +
                                        ",\"dataset\":" + canonical_json(identity["dataset"]) +
                                        "}")));
}

TEST_F(CaptionBindingTest, AsksOnceForAllTrialsWithOneQuestion) {
  EXPECT_THAT(plan_of({"seed=1,2,3", "protocol.shots=1,2"}).missing_captions(), SizeIs(1));
  EXPECT_THAT(plan_of({"captioner.model=a,b", "dataset.classes=5,6"}).missing_captions(),
              SizeIs(4));
  EXPECT_THAT(plan_of({"nodes.fuse=image"}).missing_captions(), SizeIs(0));
}

TEST_F(CaptionBindingTest, CountsBySomeRecordedContent) {
  const Plan before = plan_of();
  const std::filesystem::path file = before.missing_captions()[0].file;
  std::filesystem::create_directories(file.parent_path());
  write_file(file, "one");
  const Plan one = plan_of();
  EXPECT_THAT(one.missing_captions(), SizeIs(0));
  EXPECT_EQ(one.config(0).at("captioner").at("captions"), file.string());
  EXPECT_EQ(one.identity(0).at("captioner").at("params").at("captions"),
            "sha256:" + hex(sha256("one")));
  ASSERT_THAT(one.inputs(0), SizeIs(1));
  EXPECT_EQ(one.inputs(0)[0].name, "captioner.captions");
  EXPECT_NE(id_of(one), id_of(before));
  EXPECT_NE(one.stages(0).at(1).key, before.stages(0).at(1).key);

  // Where the server is does not count, what it said does.
  EXPECT_EQ(id_of(plan_of({"captioner.base_url=http://b"})), id_of(one));
  write_file(file, "another");
  EXPECT_NE(id_of(plan_of()), id_of(one));

  const std::filesystem::path written = folder_ / "plan.jsonl";
  one.write(written);
  EXPECT_THAT(read_file(written), AllOf(HasSubstr(file.string()), HasSubstr("\"model\":\"m\"")));
}

TEST_F(CaptionBindingTest, LeavesASetThatIsGivenAlone) {
  const std::filesystem::path given = put("mine.jsonl", "mine");
  const Plan made = plan_of({"captioner.captions=" + given.string()});
  EXPECT_THAT(made.missing_captions(), SizeIs(0));
  EXPECT_EQ(made.config(0).at("captioner").at("captions"), given.string());
}

}  // namespace
}  // namespace espalier
