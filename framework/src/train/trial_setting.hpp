// A trial's request, as the parts of a trial ask for it.
#pragma once

#include "experiment/sections.hpp"
#include "run/trial_request.hpp"
#include <cstdint>
#include <espalier/plugin/context.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace espalier {

class TrialSetting final : public RunContext {
 public:
  // The references must outlive it.
  TrialSetting(const TrialRequest& request, const TrialHooks& hooks)
      : request_(request), hooks_(hooks) {}

  [[nodiscard]] const TrialRequest& request() const noexcept { return request_; }
  [[nodiscard]] const TrialHooks& hooks() const noexcept { return hooks_; }

  [[nodiscard]] std::int64_t seed() const override;
  [[nodiscard]] std::string device() const override { return hooks_.device; }
  [[nodiscard]] spdlog::logger& log() const override { return *hooks_.log; }

  // A fixed section.
  template <class Params>
  [[nodiscard]] Params section(const char* name) const {
    return schema_of<Params>().parse(request_.config.at(name));
  }
  // The component of a kind: made, in the configuration, by its name `kind/use`, by what it can do.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> component() const {
    if (reads(Interface::kind)) hooks_.reading();
    return hooks_.loader->make<Interface>(config_of(Interface::kind), *this);
  }
  // The same, from what the worker keeps between trials.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> kept() const {
    if (hooks_.pool == nullptr) return component<Interface>();
    const Json& config = config_of(Interface::kind);
    // A dataset that is kept has read what it says; an encoder maps its weights and reads on.
    const bool read = Interface::kind == "dataset" && hooks_.pool->holds(Interface::kind, config);
    if (reads(Interface::kind) && !read) hooks_.reading();
    return hooks_.pool->get<Interface>(config, seed(), *hooks_.log);
  }
  [[nodiscard]] const Json& config_of(std::string_view kind) const;
  [[nodiscard]] std::string name_of(std::string_view kind) const;
  [[nodiscard]] bool has(std::string_view kind, std::string_view capability) const;

  [[nodiscard]] bool stopped() const;
  void begin(std::string_view stage) const;
  void warn(const std::string& text) const;
  // Where more than a hundred parameters are trained for each photo.
  void warn_of_size(std::int64_t parameters, std::int64_t photos) const;
  // Throws Error where what the trial reads is no longer what it was.
  void check_inputs() const;

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view kind,
                                                     const ComponentRef& ref) const override;

 private:
  // Whether its components read inputs: those of data do whatever their own section names, pictures
  // for one, others where files of their section are among the inputs.
  [[nodiscard]] bool reads(std::string_view kind) const;

  const TrialRequest& request_;
  const TrialHooks& hooks_;
};

}  // namespace espalier
