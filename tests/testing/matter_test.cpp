#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/nn/dropout.hpp>
#include <espalier/plugin/gnn.hpp>

#include "testing/toy_component.hpp"

namespace espalier {
namespace {

using conformance::State;
using testing::HasSubstr;
using testing_support::find;
using testing_support::info;

struct MatteringKnobs {
  double scale = 2;
  double dropout = 0;
  bool shifted = true;
  double shift = 1;
  std::int64_t ignored = 4;
};
void bind(Schema<MatteringKnobs>& s) {
  s.field("scale", &MatteringKnobs::scale).range(-9, 9).doc("Factor");
  s.field("dropout", &MatteringKnobs::dropout).min(0).below(1).doc("Share set to 0 in training");
  s.field("shifted", &MatteringKnobs::shifted).doc("Whether something is added");
  s.field("shift", &MatteringKnobs::shift).only_if("shifted").doc("What is added");
  s.field("ignored", &MatteringKnobs::ignored).range(1, 8).doc("Nothing");
}

// Scales, drops and shifts; `ignored` it never reads.
class Toy final : public Gnn {
 public:
  explicit Toy(const MatteringKnobs& knobs) : knobs_(knobs) {}
  void init(std::int64_t width, Parameters&, Random&) override { width_ = width; }
  [[nodiscard]] std::int64_t out_width() const override { return width_; }
  [[nodiscard]] std::int64_t depth() const override { return 1; }
  [[nodiscard]] at::Tensor step(std::int64_t, const at::Tensor&, const at::Tensor& targets,
                                const at::Tensor&, const CsrGraph&,
                                const Mode& mode) const override {
    const at::Tensor kept = dropout(targets, knobs_.dropout, mode, "toy");
    return kept * knobs_.scale + (knobs_.shifted ? knobs_.shift : 0);
  }

 private:
  MatteringKnobs knobs_;
  std::int64_t width_ = 0;
};

conformance::Finding finding(ComponentInfo component) {
  const Schema<MatteringKnobs> schema = schema_of<MatteringKnobs>();
  return find("parameters_matter", component,
              [&](std::string_view, const Json& section, const RunContext&) {
                return std::static_pointer_cast<void>(
                    std::static_pointer_cast<Gnn>(std::make_shared<Toy>(schema.parse(section))));
              });
}

ComponentInfo toy(std::vector<std::string> capabilities) {
  ComponentInfo component = info("gnn", std::move(capabilities));
  component.schema = schema_of<MatteringKnobs>().info();
  return component;
}

TEST(ParametersMatter, NamesTheOneThatIsDeclaredAndIgnored) {
  const conformance::Finding found = finding(toy({}));
  EXPECT_EQ(found.state, State::violated);
  EXPECT_THAT(found.message, HasSubstr("the parameter \"ignored\" matters: it was set to 5 8"));
}

TEST(ParametersMatter, HoldsWhereAllDoOrSaySo) {
  EXPECT_EQ(finding(toy({"unseen:ignored"})).state, State::holds);
  ComponentInfo component = toy({});
  component.schema.fields.back().only_if = "shift > 100";
  EXPECT_EQ(finding(component).state, State::holds) << "a condition that holds in no setting";
  component.schema.fields.pop_back();
  EXPECT_EQ(finding(component).state, State::holds);
}

TEST(ParametersMatter, TakesADeclaredConditionAtItsWord) {
  ComponentInfo component = toy({"unseen:ignored"});
  component.schema.fields[3].only_if = "not shifted";
  EXPECT_EQ(finding(component).state, State::violated);
  EXPECT_THAT(finding(component).message, HasSubstr("\"shift\""));
}

TEST(ParametersMatter, KnowsWhatIsDeclaredUnseen) {
  const auto state = [](const char* capability) {
    return find("known_capabilities", toy({capability}), nullptr).state;
  };
  EXPECT_EQ(state("unseen:ignored"), State::holds);
  EXPECT_EQ(state("unseen:nothing"), State::violated);
}

}  // namespace
}  // namespace espalier
