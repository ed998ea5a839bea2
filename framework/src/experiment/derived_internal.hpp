// Settings of one section that follow from another: train.preset, budget.trainable and tune.
#pragma once

#include "experiment/data_inspector.hpp"
#include "experiment/plan.hpp"
#include <array>
#include <cstdint>
#include <espalier/core/error.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "identity_internal.hpp"

namespace espalier {

class DerivedSettings {
 public:
  // Without an inspector budgets are left alone.
  DerivedSettings(const Catalog& catalog, Variants& variants, Identities& identities,
                  DataInspector* inspector)
      : catalog_(catalog), variants_(variants), identities_(identities), inspector_(inspector) {}

  struct Settled {
    Picks picks{};
    std::string impossible;  // why it cannot be, or empty
  };
  // The picks of a trial whose sections are sound, with the variants that follow in their place.
  [[nodiscard]] Settled settle(const Picks& picks, std::uint32_t context, Problems& problems);

  [[nodiscard]] const std::vector<PlannedSize>& sizes() const noexcept { return sizes_; }

 private:
  struct Change {
    std::uint32_t variant = 0;
    std::string impossible;
  };
  void take_preset(Settled& settled, Problems& problems);
  void take_budget(Settled& settled, std::uint32_t context, Problems& problems);
  void take_candidate(Settled& settled);
  [[nodiscard]] Change published(const Picks& picks);
  [[nodiscard]] Change sized(const Picks& picks, std::uint32_t context, Problems& problems);
  [[nodiscard]] SizeQuestion question(std::uint32_t peft, std::int64_t budget) const;
  [[nodiscard]] SizeSearch ask(const Picks& picks, std::uint32_t context,
                               const SizeQuestion& question, Problems& problems);
  [[nodiscard]] const Json& resolved(std::size_t section, const Picks& picks) const;
  [[nodiscard]] std::string method_of(const Picks& picks) const;

  const Catalog& catalog_;
  Variants& variants_;
  Identities& identities_;
  DataInspector* inspector_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Change> published_;  // by train and peft
  std::map<std::array<std::uint32_t, 5>, Change> sized_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> tuned_;  // by train and tune
  std::vector<PlannedSize> sizes_;
};

}  // namespace espalier
