// Loads plugins into this process and makes their components.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/plugin/catalog.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/context.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

namespace espalier {

// Libraries are loaded on first use, with every symbol resolved, and never unloaded: tensors,
// exceptions and deleters may point into them. Thread-safe.
class Loader {
 public:
  explicit Loader(const Catalog& catalog);
  explicit Loader(Catalog&&) = delete;  // it must outlive the loader
  ~Loader();

  [[nodiscard]] const Catalog& catalog() const noexcept;

  // The component's registration. Throws Error when the library cannot be loaded, fails in its
  // entry point, or registers something else than its manifest says.
  [[nodiscard]] const ComponentEntry& entry(std::string_view kind, std::string_view name);

  // A section {"use": name, ...} with the defaults of what it leaves out, but for components in it.
  // Throws Error with all that is wrong with it.
  [[nodiscard]] Json complete(std::string_view kind, const Json& section);
  // What is made of complete(section). What the constructor throws becomes an Error that names the
  // component.
  [[nodiscard]] std::shared_ptr<void> make(std::string_view kind, const Json& section,
                                           const RunContext& context);

  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> make(const Json& section, const RunContext& context) {
    return std::static_pointer_cast<Interface>(make(Interface::kind, section, context));
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Registers what one library offers, for the loader and for tools that look at a single file.
[[nodiscard]] std::vector<ComponentEntry> load_plugin(const std::filesystem::path& file);

// Runs a call into a component. The problems of an Error that it throws get `kind/name` before
// them; std::exception, c10::Error and anything else become an Error saying `kind/name` and
// `operation`.
void guarded(std::string_view component, std::string_view operation,
             const std::function<void()>& call);

}  // namespace espalier
