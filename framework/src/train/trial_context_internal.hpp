#pragma once

#include "run/trial_request.hpp"

namespace espalier {

class TrialContext final : public RunContext {
 public:
  TrialContext(std::int64_t seed, const TrialHooks& hooks) : seed_(seed), hooks_(hooks) {}

  std::int64_t seed() const override { return seed_; }
  std::string device() const override { return hooks_.device; }
  spdlog::logger& log() const override { return *hooks_.log; }

 protected:
  std::shared_ptr<void> make_component(std::string_view kind,
                                       const ComponentRef& ref) const override {
    Json section = ref.params;
    section["use"] = ref.use;
    return hooks_.loader->make(kind, section, *this);
  }

 private:
  std::int64_t seed_;
  const TrialHooks& hooks_;
};

}  // namespace espalier
