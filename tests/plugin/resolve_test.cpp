#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/plugin/catalog.hpp>

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

struct LayerParams {
  std::int64_t heads = 2;
  double dropout = 0.1;
};
void bind(Schema<LayerParams>& s) {
  s.field("heads", &LayerParams::heads).range(1, 8).doc("Heads");
  s.field("dropout", &LayerParams::dropout).range(0, 1).doc("Dropout");
  s.check("heads != 3", "three heads are a crowd");
}

struct AdapterParams {
  ComponentRef layer{"layer", Json::object()};
  std::vector<ComponentRef> extras;
};
void bind(Schema<AdapterParams>& s) {
  s.field("layer", &AdapterParams::layer).kind("gnn").doc("Inner network");
  s.field("extras", &AdapterParams::extras).kind("gnn").doc("More networks");
  s.check("has(layer, graph)", "the inner network must look at edges");
}

ComponentInfo info(const std::string& name, std::vector<std::string> capabilities,
                   SchemaInfo schema) {
  return {.kind = "gnn",
          .name = name,
          .version = 1,
          .summary = {},
          .capabilities = std::move(capabilities),
          .schema = std::move(schema),
          .file = {}};
}

class ResolveTest : public testing::Test {
 protected:
  Json resolve(const Json& section) {
    problems_ = {};
    const Locator locate = [](std::string_view key) { return "at " + std::string(key); };
    return catalog_.resolve("gnn", section, "gnn.", locate, problems_);
  }
  std::string complaint(const Json& section) {
    (void)resolve(section);
    std::string text;
    for (const Problem& problem : problems_.list()) text += to_string(problem) + "\n";
    return text;
  }

  const Catalog catalog_ = Catalog::of({
      info("adapter", {"wraps:layer"}, schema_of<AdapterParams>().info()),
      info("layer", {"edge_weight", "graph"}, schema_of<LayerParams>().info()),
      info("mlp", {}, {}),
  });
  Problems problems_;
};

TEST_F(ResolveTest, FillsInDefaultsAtEveryDepth) {
  const Json layer = {{"use", "layer"}, {"heads", 2}, {"dropout", 0.1}};
  EXPECT_EQ(resolve({{"use", "adapter"}}),
            (Json{{"use", "adapter"}, {"layer", layer}, {"extras", Json::array()}}));
  EXPECT_EQ(resolve("layer"), layer) << "a name alone is enough";
  const Json nested =
      resolve({{"use", "adapter"}, {"layer", {{"use", "adapter"}}}, {"extras", {"mlp", "layer"}}});
  EXPECT_EQ(nested["layer"]["layer"]["heads"], 2);
  EXPECT_EQ(nested["extras"], (Json{{{"use", "mlp"}}, layer}));
  EXPECT_TRUE(problems_.empty());
}

TEST_F(ResolveTest, NamesTheFullKeyAndPlaceOfEveryMistake) {
  EXPECT_THAT(complaint({{"use", "adapter"}, {"layer", {{"use", "layer"}, {"head", 3}}}}),
              AllOf(HasSubstr("\"gnn.layer.head\""), HasSubstr("at layer.head"),
                    HasSubstr("did you mean \"heads\"?")));
  EXPECT_THAT(complaint({{"use", "adapter"}, {"extras", {{{"use", "layer"}, {"heads", 99}}}}}),
              AllOf(HasSubstr("\"gnn.extras.0.heads\""), HasSubstr("99"), HasSubstr("gnn/layer")));
  EXPECT_THAT(complaint({{"use", "layr"}}),
              AllOf(HasSubstr("\"layr\""), HasSubstr("one of adapter, layer, mlp"),
                    HasSubstr("did you mean \"layer\"?"), HasSubstr("at use")));
  EXPECT_EQ(resolve({{"use", "layr"}}), nullptr);
}

TEST_F(ResolveTest, RefusesSectionsThatNameNothing) {
  for (const Json& section :
       {Json::object(), Json(3), Json(nullptr), Json{{"use", ""}}, Json{{"use", {"a", "b"}}}}) {
    EXPECT_THAT(complaint(section), HasSubstr("names no component")) << section;
  }
}

TEST_F(ResolveTest, HoldsTheChecksOfTheSchema) {
  EXPECT_THAT(complaint({{"use", "layer"}, {"heads", 3}}),
              AllOf(HasSubstr("three heads are a crowd"), HasSubstr("gnn.heads = 3")));
  EXPECT_THAT(complaint({{"use", "adapter"}, {"layer", "mlp"}}),
              HasSubstr("the inner network must look at edges"));
  EXPECT_THAT(complaint({{"use", "adapter"}, {"layer", "adapter"}}), IsEmpty());
}

TEST_F(ResolveTest, StopsAtADepthThatNobodyMeans) {
  Json section = "layer";
  for (int depth = 0; depth < 60; ++depth) section = {{"use", "adapter"}, {"layer", section}};
  EXPECT_THAT(complaint(section), HasSubstr("nested too deeply"));
}

TEST_F(ResolveTest, FollowsWrappedCapabilities) {
  EXPECT_TRUE(catalog_.has("gnn", resolve("layer"), "graph"));
  EXPECT_FALSE(catalog_.has("gnn", resolve("mlp"), "graph"));
  EXPECT_TRUE(catalog_.has("gnn", resolve("adapter"), "edge_weight"));
  EXPECT_FALSE(catalog_.has("gnn", resolve({{"use", "adapter"}, {"layer", "mlp"}}), "graph"));
  EXPECT_FALSE(catalog_.has("gnn", nullptr, "graph"));
}

TEST(Resolve, SaysWhichLibraryAComponentNeedsThatThisBuildHasNot) {
  Problems problems;
  const Locator locate = [](std::string_view) { return std::string("here"); };
  EXPECT_EQ(Catalog::of({}).resolve("graph", "knn_ivf", "graph.", locate, problems), nullptr);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(to_string(problems.list()[0]),
              AllOf(HasSubstr("this build of Espalier has no graph/knn_ivf"), HasSubstr("here"),
                    HasSubstr("install libfaiss-dev")));
}

}  // namespace
}  // namespace espalier
