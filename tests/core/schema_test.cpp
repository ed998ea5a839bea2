#include <espalier/core/schema.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace espalier {
namespace {

using testing::HasSubstr;

struct Params {
  std::int64_t rank = 8;
  double alpha = 16;
  bool bias = false;
  std::string mode = "fast";
  std::vector<double> taus = {0.5};
  ContentPath weights = {"builtin:x"};
  ComponentRef layer = {"gcn", {{"hops", 2}}};
};

void bind(Schema<Params>& s) {
  s.field("rank", &Params::rank).range(1, 64).doc("Rank").source("Hu et al. 2021");
  s.field("alpha", &Params::alpha).above(0).below(100).only_if("rank > 1");
  s.field("bias", &Params::bias);
  s.field("mode", &Params::mode).choices({"fast", "exact"});
  s.field("taus", &Params::taus).range(0, 1);
  s.field("weights", &Params::weights);
  s.field("layer", &Params::layer).kind("gnn");
  s.check("alpha <= 4 * rank", "alpha is large");
}

const SchemaInfo& info() {
  static const SchemaInfo schema = schema_of<Params>().info();
  return schema;
}

std::string message(const Json& given, const SchemaInfo& schema = info()) {
  Problems problems;
  (void)resolve_params(
      schema, given, "peft.", [](std::string_view key) { return "at " + std::string(key); },
      problems);
  return problems.empty() ? "no error" : Error(problems.list()).what();
}

Json resolve(const Json& given) {
  Problems problems;
  Json resolved = resolve_params(
      info(), given, "", [](std::string_view) { return ""; }, problems);
  problems.throw_if_any();
  return resolved;
}

TEST(Schema, FillsInDefaults) {
  EXPECT_EQ(resolve(Json::object()), (Json{{"rank", 8},
                                           {"alpha", 16.0},
                                           {"bias", false},
                                           {"mode", "fast"},
                                           {"taus", {0.5}},
                                           {"weights", "builtin:x"},
                                           {"layer", {{"use", "gcn"}, {"hops", 2}}}}));
}

TEST(Schema, BringsValuesIntoTheirTypes) {
  const Json resolved = resolve({{"rank", 4.0}, {"alpha", 2}, {"taus", {0, 1}}, {"layer", "gat"}});
  EXPECT_TRUE(resolved["rank"].is_number_integer());
  EXPECT_TRUE(resolved["alpha"].is_number_float());
  EXPECT_TRUE(resolved["taus"][0].is_number_float());
  EXPECT_EQ(resolved["layer"], (Json{{"use", "gat"}}));
}

TEST(Schema, RefusesWholeNumbersBeyond2To53ByName) {
  for (const char* key : {"rank", "alpha"}) {
    const std::string text = message({{key, std::int64_t{9007199254740993}}});
    EXPECT_THAT(text, HasSubstr("\"peft." + std::string(key) + "\""));
    EXPECT_THAT(text, HasSubstr("9007199254740993, a whole number beyond 2^53"));
  }
}

TEST(Schema, ParsesIntoTheStruct) {
  const Params params = schema_of<Params>().parse(
      resolve({{"rank", 4}, {"taus", {0.1, 0.2}}, {"layer", {{"use", "gat"}, {"heads", 2}}}}));
  EXPECT_EQ(params.rank, 4);
  EXPECT_EQ(params.taus, (std::vector<double>{0.1, 0.2}));
  EXPECT_EQ(params.layer, (ComponentRef{"gat", {{"heads", 2}}}));
  EXPECT_EQ(params.weights.text, "builtin:x");
}

TEST(Schema, RefusesWhatDoesNotFit) {
  for (const Json& rank : {Json(0), Json(65), Json(1.5), Json("8"), Json(true), Json(nullptr),
                           Json(1e300), Json::array({8})}) {
    EXPECT_THAT(message({{"rank", rank}}), HasSubstr("\"peft.rank\"")) << rank;
  }
  EXPECT_THAT(message({{"rank", 65}}), HasSubstr("where:    at rank"));
  EXPECT_THAT(message({{"rank", 65}}), HasSubstr("integer >= 1 and <= 64"));
  EXPECT_THAT(message({{"rank", 65}}), HasSubstr("found:    65"));
  EXPECT_THAT(message({{"alpha", 0}}), HasSubstr("> 0 and < 100"));
  EXPECT_THAT(message({{"alpha", 100}}), HasSubstr("\"peft.alpha\""));
  EXPECT_THAT(message({{"bias", 1}}), HasSubstr("boolean"));
  EXPECT_THAT(message({{"mode", "fsat"}}), HasSubstr("did you mean \"fast\"?"));
  EXPECT_THAT(message({{"taus", 0.5}}), HasSubstr("a list"));
  EXPECT_THAT(message({{"taus", {0.5, 2}}}), HasSubstr("\"peft.taus\""));
  EXPECT_THAT(message({{"layer", 3}}), HasSubstr("the name of a gnn component"));
  EXPECT_THAT(message({{"layer", {{"heads", 2}}}}), HasSubstr("\"peft.layer\""));
}

TEST(Schema, RefusesUnknownKeys) {
  EXPECT_THAT(message({{"rnak", 3}}), HasSubstr("unknown key \"peft.rnak\""));
  EXPECT_THAT(message({{"rnak", 3}}), HasSubstr("did you mean \"rank\"?"));
  EXPECT_THAT(message({{"a", 3}}, schema_of<NoParams>().info()), HasSubstr("no parameters"));
}

TEST(Schema, AsksForWhatMustBeGiven) {
  SchemaInfo schema = info();
  schema.fields[0].default_value = nullptr;
  EXPECT_THAT(message(Json::object(), schema), HasSubstr("\"peft.rank\""));
  EXPECT_EQ(message({{"rank", 3}}, schema), "no error");
}

TEST(Schema, SurvivesJson) {
  const SchemaInfo copy = schema_from_json(parse_json(to_json(info()).dump(), "schema"));
  EXPECT_EQ(to_json(copy), to_json(info()));
  ASSERT_EQ(copy.fields.size(), 7u);
  EXPECT_EQ(copy.fields[1].only_if, "rank > 1");
  EXPECT_TRUE(copy.fields[1].open_min);
  EXPECT_TRUE(copy.fields[5].content);
  EXPECT_EQ(copy.fields[6].kind, "gnn");
  EXPECT_EQ(copy.checks[0].predicate, "alpha <= 4 * rank");
}

TEST(NearestName, FindsWhatWasMeant) {
  const std::vector<std::string> known{"threshold", "knn", "base", "tau", "a"};
  EXPECT_EQ(nearest_name("treshold", known), "threshold");
  EXPECT_EQ(nearest_name("thershlod", known), "threshold");
  EXPECT_EQ(nearest_name("kn", known), "knn");
  EXPECT_EQ(nearest_name("bsae", known), "base");  // a swap is one mistake
  EXPECT_EQ(nearest_name("tua", known), "tau");
  EXPECT_EQ(nearest_name("complete", known), std::nullopt);
  EXPECT_EQ(nearest_name("b", known), std::nullopt);  // anything would be near
  EXPECT_EQ(nearest_name("", known), std::nullopt);
}

}  // namespace
}  // namespace espalier
