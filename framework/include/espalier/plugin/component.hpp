// How a shared library offers a component: one macro at the end of one source file.
//
//   class Threshold final : public espalier::GraphBuilder {
//    public:
//     using Params = ThresholdParams;                        // a struct with bind(), or NoParams
//     Threshold(const Params&, const espalier::RunContext&);
//     ...
//   };
//   ESPALIER_COMPONENT(graph, "threshold", 1, Threshold,
//                      "Joins nodes whose similarity reaches a threshold", "edge_weight")
//
// The macro writes a manifest that is read without loading the library, and the entry point that
// the host calls after loading it. The number is the behaviour version: it enters the identity of
// trials, so raise it whenever the same parameters would give another result. Capabilities are
// words separated by spaces; docs/plugins.md lists them.
#pragma once

#include <espalier/core/schema.hpp>
#include <espalier/plugin/abi.hpp>
#include <espalier/plugin/context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace espalier {

// Takes resolved parameters. The pointer is to the interface of the kind.
using Make = std::function<std::shared_ptr<void>(const Json& params, const RunContext&)>;

// One component as its library registers it.
struct ComponentEntry {
  std::string kind;
  std::string name;
  std::int64_t version = 1;
  SchemaInfo schema;
  Make make;
};

class Registrar {
 public:
  virtual ~Registrar();
  virtual void add(ComponentEntry entry) = 0;
  // Called instead of letting an exception leave the library's entry point.
  virtual void fail(std::string_view message) noexcept = 0;

  template <class Component>
  void add(std::string_view kind, std::string_view name, std::int64_t version) {
    using Params = typename Component::Params;
    using Interface = typename Component::Interface;
    add(kind, name, version, schema_of<Params>().info(),
        [](const Json& params, const RunContext& context) -> std::shared_ptr<void> {
          static_assert(std::is_base_of_v<Interface, Component>);
          std::shared_ptr<Interface> made =
              std::make_shared<Component>(schema_of<Params>().parse(params), context);
          return made;
        });
  }

 private:
  void add(std::string_view kind, std::string_view name, std::int64_t version,
           const SchemaInfo& schema, Make make);
};

}  // namespace espalier

#define ESPALIER_TEXT_(x) #x
#define ESPALIER_TEXT(x) ESPALIER_TEXT_(x)

#define ESPALIER_COMPONENT(KIND, NAME, VERSION, CLASS, SUMMARY, CAPABILITIES)                     \
  extern "C" {                                                                                    \
  __attribute__((visibility("default"), used,                                                     \
                 section(".espalier.plugin"))) extern const char espalier_plugin_manifest[] =     \
      "ESPALIER1{\"manifest\":1,\"abi\":" ESPALIER_ABI_JSON ",\"components\":[{\"kind\":\"" #KIND \
      "\",\"name\":\"" NAME                                                                       \
      "\",\"version\":" ESPALIER_TEXT(VERSION) ",\"summary\":\"" SUMMARY                          \
                                               "\",\"capabilities\":\"" CAPABILITIES "\"}]}";     \
  __attribute__((visibility("default"))) void espalier_plugin_entry(                              \
      ::espalier::Registrar& registrar) noexcept {                                                \
    static_assert(CLASS::kind == #KIND, "the class implements another kind");                     \
    ESPALIER_ABI_REFERENCE;                                                                       \
    try {                                                                                         \
      registrar.add<CLASS>(#KIND, NAME, VERSION);                                                 \
    } catch (const std::exception& error) {                                                       \
      registrar.fail(error.what());                                                               \
    } catch (...) {                                                                               \
      registrar.fail("an exception that is no std::exception");                                   \
    }                                                                                             \
  }                                                                                               \
  }
