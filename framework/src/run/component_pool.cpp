#include "run/component_pool.hpp"

#include <algorithm>
#include <utility>

namespace espalier {

class ComponentPool::Context final : public RunContext {
 public:
  Context(ComponentPool& pool, std::int64_t seed) : pool_(pool), seed_(seed) {}

  [[nodiscard]] std::int64_t seed() const override {
    asked_ = true;
    return seed_;
  }
  [[nodiscard]] std::string device() const override { return pool_.device_; }
  [[nodiscard]] spdlog::logger& log() const override { return *pool_.log_; }
  [[nodiscard]] bool asked() const noexcept { return asked_; }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view kind,
                                                     const ComponentRef& ref) const override {
    Json section = ref.params;
    section["use"] = ref.use;
    return pool_.loader_.make(kind, section, *this);
  }

 private:
  ComponentPool& pool_;
  std::int64_t seed_;
  mutable bool asked_ = false;
};

// A component, and the context that it may look at as long as it lives.
struct ComponentPool::Made {
  std::string kind;
  std::string section;
  Context context;
  std::shared_ptr<void> component;
};

ComponentPool::ComponentPool(Loader& loader, std::string device, std::size_t most)
    : loader_(loader), device_(std::move(device)), most_(most) {}
ComponentPool::~ComponentPool() = default;

ComponentPool::List::const_iterator ComponentPool::find(std::string_view kind,
                                                        const std::string& section) const {
  return std::find_if(made_.begin(), made_.end(), [&](const auto& made) {
    return made->kind == kind && made->section == section;
  });
}

bool ComponentPool::holds(std::string_view kind, const Json& section) const {
  return find(kind, canonical_json(section)) != made_.end();
}

std::shared_ptr<void> ComponentPool::get(std::string_view kind, const Json& section,
                                         std::int64_t seed, spdlog::logger& log) {
  log_ = &log;
  const std::string text = canonical_json(section);
  const auto found = find(kind, text);
  if (found == made_.end()) {
    const auto made =
        std::make_shared<Made>(Made{std::string(kind), text, Context(*this, seed), nullptr});
    made->component = loader_.make(kind, section, made->context);
    if (made->context.asked()) return {made, made->component.get()};
    made_.push_front(made);
    forget(kind);
  } else {
    made_.splice(made_.begin(), made_, found);
  }
  return {made_.front(), made_.front()->component.get()};
}

void ComponentPool::forget(std::string_view kind) {
  std::size_t kept = 0;
  made_.remove_if([&](const auto& made) { return made->kind == kind && ++kept > most_; });
}

}  // namespace espalier
