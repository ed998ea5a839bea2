#include <espalier/core/schema.hpp>
#include <gtest/gtest.h>

#include "testing/toy_component.hpp"

namespace espalier {
namespace {

using conformance::State;
using testing_support::find;
using testing_support::info;

struct Knobs {
  std::int64_t rank = 4;
  double rate = 0.5;
  bool bias = true;
  std::string mode = "one";
};
void bind(Schema<Knobs>& s) {
  s.field("rank", &Knobs::rank).range(1, 8).doc("Rank");
  s.field("rate", &Knobs::rate).above(0).below(1).doc("Rate");
  s.field("bias", &Knobs::bias).doc("Whether there is one");
  s.field("mode", &Knobs::mode).choices({"one", "two", "three"}).doc("Mode");
}

TEST(Settings, TurnEveryChoiceAndSwitchOnce) {
  ComponentInfo component = info("gnn", {});
  component.schema = schema_of<Knobs>().info();
  const Catalog catalog = Catalog::of({component});
  const auto settings = conformance::settings(catalog, component, {{"rank", 2}}, nullptr);
  ASSERT_EQ(settings.size(), 4u);
  EXPECT_EQ(settings[0].section(),
            (Json{{"use", "toy"}, {"rank", 2}, {"rate", 0.5}, {"bias", true}, {"mode", "one"}}));
  EXPECT_EQ(settings[1].section()["bias"], false);
  EXPECT_EQ(settings[2].section()["mode"], "two");
  EXPECT_EQ(settings[3].section()["mode"], "three");
}

TEST(Schemas, AreHeldToTheirOwnWords) {
  ComponentInfo component = info("gnn", {});
  component.schema = schema_of<Knobs>().info();
  const auto state = [&](const std::string& property) {
    return find(property, component, nullptr).state;
  };
  for (const char* property : {"documented", "valid_defaults", "guarded_ranges",
                               "refuses_unknown_keys", "sound_predicates", "stable_resolution"}) {
    EXPECT_EQ(state(property), State::holds) << property;
  }
  component.schema.fields[0].doc = "Rank.";
  EXPECT_EQ(state("documented"), State::violated);
  component.schema.fields[0].doc = "";
  EXPECT_EQ(state("documented"), State::violated);
  component.schema.fields[1].default_value = 3.0;
  component.schema.fields[2].only_if = "mode ==";
  component.schema.checks.push_back({"rank > 8", "never holds"});
  EXPECT_EQ(state("valid_defaults"), State::violated);
  EXPECT_EQ(state("sound_predicates"), State::violated);
}

}  // namespace
}  // namespace espalier
