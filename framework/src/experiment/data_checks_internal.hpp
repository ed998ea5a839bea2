// Whether the data of the planned trials fits what they ask of it.
#pragma once

#include "experiment/data_inspector.hpp"
#include <array>
#include <cstdint>
#include <espalier/core/error.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "plan_internal.hpp"

namespace espalier {

class DataChecks {
 public:
  using Report = std::function<void(std::string_view section, const Error&)>;
  using Impossible =
      std::function<void(const std::vector<std::uint32_t>& trials, const std::string& reason)>;

  // Without an inspector nothing is checked.
  DataChecks(const Plan::State& state, DataInspector* inspector)
      : state_(state), inspector_(inspector) {}

  // Of a planned trial; all that share the sections are checked once.
  void note(std::uint32_t trial, std::uint32_t context);
  // `report` is told of what does not fit, and of the section that asks for it; `impossible` of
  // trials that cannot run for another reason than a mistake.
  void run(const Report& report, const Impossible& impossible);
  // Where the methods of the planned trials cut their encoders, once they have run.
  [[nodiscard]] std::vector<PlannedCut> take_cuts() { return std::move(cuts_); }
  // What these methods warned of, each text once.
  [[nodiscard]] const std::set<std::string>& warnings() const noexcept { return warnings_; }

 private:
  // Identities of the dataset and of another section, and a trial that has them.
  using Pairs = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>;
  // Dataset, protocol, encoder, method and train section of a trial, and the towers that it looks
  // at, a bit each.
  using MethodKey = std::array<std::uint32_t, 6>;

  [[nodiscard]] InspectedSection inspected(std::uint32_t trial, std::string_view section) const;
  void note_captions(std::uint32_t trial);
  // Of what `section` leaves to validation.
  void require_validation(std::uint32_t trial, std::string_view section) const;
  [[nodiscard]] std::int64_t looks(std::uint32_t trial) const;
  void find_cuts(const std::vector<std::uint32_t>& trials, std::uint32_t towers,
                 const Impossible& impossible);

  const Plan::State& state_;
  DataInspector* inspector_;
  Pairs with_protocol_;
  Pairs with_head_;
  Pairs with_captioner_;
  // By the section that leaves something to validation, dataset and protocol.
  std::map<std::tuple<std::string_view, std::uint32_t, std::uint32_t>, std::uint32_t> choosing_;
  std::map<MethodKey, std::vector<std::uint32_t>> with_method_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, SplitSizes> sizes_;  // by dataset and protocol
  std::vector<PlannedCut> cuts_;
  std::set<std::string> warnings_;
};

}  // namespace espalier
