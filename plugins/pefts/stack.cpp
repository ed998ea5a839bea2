// Several methods at once, one after the other, each with its own parameters and its own adapter:
//
//   peft: [{use: lora, r: 4}, {use: taskres}]
#include <ATen/TensorOperators.h>

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
      .doc(
          "Methods that do not hook the same sites; a list in the place of the section says it "
          "too");
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

  [[nodiscard]] std::string class_template() const override {
    std::string found;
    for (const auto& [name, method] : methods_) {
      const std::string own = method->class_template();
      if (!own.empty() && !found.empty()) refuse_second(name);
      if (!own.empty()) found = own;
    }
    return found;
  }

  void prepare(const espalier::MethodInput& input) override {
    for (const auto& [name, method] : methods_) method->prepare(input);
  }

  void join(espalier::AdaptableEncoder& encoder, const espalier::SampleGraph& graph,
            const espalier::LookAtNodes& look) override {
    for (const auto& [name, method] : methods_) method->join(encoder, graph, look);
  }

  void attach(espalier::AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    for (const auto& [name, method] : methods_) {
      const Parameters::Scope scope(parameters, name, parameters.device());
      method->attach(encoder, parameters, random);
    }
  }

  [[nodiscard]] at::Tensor penalty() const override {
    at::Tensor sum;
    for (const auto& [name, method] : methods_) {
      const at::Tensor own = method->penalty();
      if (own.defined()) sum = sum.defined() ? sum + own : own;
    }
    return sum;
  }

  void updated(std::int64_t step, std::int64_t steps) override {
    for (const auto& [name, method] : methods_) method->updated(step, steps);
  }

  [[nodiscard]] std::vector<Parameters::Entry> memory() const override {
    std::vector<Parameters::Entry> all;
    for (const auto& [name, method] : methods_) {
      for (const auto& [key, tensor] : method->memory()) all.emplace_back(name + "." + key, tensor);
    }
    return all;
  }

  void conclude(const espalier::JudgedFeatures& val) override {
    for (const auto& [name, method] : methods_) method->conclude(val);
  }

  [[nodiscard]] espalier::Json facts() const override {
    espalier::Json all = espalier::Json::object();
    for (const auto& [name, method] : methods_) {
      const espalier::Json own = method->facts();
      for (const auto& [key, value] : own.items()) all[name + "." + key] = value;
    }
    return all;
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
  [[noreturn]] static void refuse_second(const std::string& name) {
    throw espalier::Error({.what = "two methods learn what the encoder is told of the classes",
                           .where = {},
                           .expected = "one of them",
                           .found = name,
                           .fix = {}});
  }

  std::vector<std::pair<std::string, std::shared_ptr<espalier::Peft>>> methods_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "stack", 1, Stack, "Several methods at once", "wraps:methods")
