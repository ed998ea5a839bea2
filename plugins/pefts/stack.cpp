// Several methods at once, one after the other, each with its own parameters and its own adapter:
//
//   peft: [{use: lora, r: 4}, {use: taskres}]
#include <espalier/core/error.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>
#include <set>

namespace {

using espalier::ComponentRef;
using espalier::Parameters;

struct StackParams {
  std::vector<ComponentRef> methods;
};

void bind(espalier::Schema<StackParams>& s) {
  s.field("methods", &StackParams::methods)
      .kind("peft")
      .required()
      .doc("Methods that do not hook the same sites; a list in the place of the section says it too");
}

class Stack final : public espalier::Peft {
 public:
  using Params = StackParams;

  Stack(const Params& params, const espalier::RunContext& context) {
    std::set<std::string> taken;
    for (const ComponentRef& method : params.methods) {
      std::string name = method.use;
      for (int number = 2; !taken.insert(name).second; ++number) {
        name = method.use + "_" + std::to_string(number);
      }
      methods_.emplace_back(name, context.make<espalier::Peft>(method));
    }
    if (!methods_.empty()) return;
    throw espalier::Error({.what = "a stack of methods is empty",
                           .where = {},
                           .expected = "a method or more",
                           .found = "[]",
                           .fix = "peft.use=none trains nothing in the encoder"});
  }

  void prepare(const espalier::FrozenFeatures& train,
               std::span<const std::int64_t> labels) override {
    for (const auto& [name, method] : methods_) method->prepare(train, labels);
  }

  void attach(espalier::AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    for (const auto& [name, method] : methods_) {
      const Parameters::Scope scope(parameters, name, parameters.device());
      method->attach(encoder, parameters, random);
    }
  }

  void merge(espalier::AdaptableEncoder& encoder) override {
    for (const auto& [name, method] : methods_) method->merge(encoder);
  }

  [[nodiscard]] std::vector<Part> parts() const override {
    std::vector<Part> parts;
    for (const auto& [name, method] : methods_) parts.emplace_back(name, method.get());
    return parts;
  }

 private:
  std::vector<std::pair<std::string, std::shared_ptr<espalier::Peft>>> methods_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "stack", 1, Stack, "Several methods at once", "wraps:methods")
