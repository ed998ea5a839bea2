// Makes components of the built plugins, with the checks that a configuration goes through.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <espalier/plugin/component.hpp>
#include <espalier/plugin/loader.hpp>
#include <filesystem>
#include <string>

namespace espalier::testing_support {

class TestContext final : public RunContext {
 public:
  explicit TestContext(std::int64_t seed = 1) : seed_(seed) {}
  [[nodiscard]] std::int64_t seed() const override { return seed_; }
  [[nodiscard]] std::string device() const override { return "cpu"; }
  [[nodiscard]] spdlog::logger& log() const override { return *spdlog::default_logger(); }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view kind,
                                                     const ComponentRef& ref) const override;

 private:
  std::int64_t seed_;
};

// Throws Error when `params` are refused.
[[nodiscard]] inline std::shared_ptr<void> make_any(std::string_view kind, const std::string& name,
                                                    const Json& params, const RunContext& context) {
  const std::filesystem::path folder(ESPALIER_BINARY_DIR "/plugins");
  const auto entries = load_plugin(folder / (std::string(kind) + "-" + name + ".espalier.so"));
  Problems problems;
  const Json resolved = resolve_params(
      entries.at(0).schema, params, "", [](std::string_view) { return std::string(); }, problems);
  problems.throw_if_any();
  return entries[0].make(resolved, context);
}

template <class Interface>
[[nodiscard]] std::shared_ptr<Interface> make(const std::string& name,
                                              const Json& params = Json::object(),
                                              const RunContext& context = TestContext()) {
  return std::static_pointer_cast<Interface>(make_any(Interface::kind, name, params, context));
}

inline std::shared_ptr<void> TestContext::make_component(std::string_view kind,
                                                         const ComponentRef& ref) const {
  return make_any(kind, ref.use, ref.params, *this);
}

// What an Error says, or nothing when none is thrown.
template <class Call>
[[nodiscard]] std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace espalier::testing_support
