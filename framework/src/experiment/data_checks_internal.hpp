// Whether the data of the planned trials fits what they ask of it.
#pragma once

#include "experiment/data_inspector.hpp"
#include <cstdint>
#include <espalier/core/error.hpp>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "plan_internal.hpp"

namespace espalier {

class DataChecks {
 public:
  // Without an inspector nothing is checked.
  DataChecks(const Plan::State& state, DataInspector* inspector)
      : state_(state), inspector_(inspector) {}

  // Of a planned trial; all that share the sections are checked once.
  void note(std::uint32_t trial, std::uint32_t context);
  // `report` is told of what does not fit, and of the section that asks for it.
  void run(const std::function<void(std::string_view section, const Error&)>& report) const;

 private:
  // Identities of the dataset and of another section, and a trial that has them.
  using Pairs = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>;

  [[nodiscard]] InspectedSection inspected(std::uint32_t trial, std::string_view section) const;

  const Plan::State& state_;
  DataInspector* inspector_;
  Pairs with_protocol_;
  Pairs with_head_;
};

}  // namespace espalier
