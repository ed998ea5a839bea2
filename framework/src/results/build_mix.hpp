// Whether one table shows what different builds of a component computed.
#pragma once

#include "results/trial_record.hpp"
#include <map>
#include <span>
#include <string>

namespace espalier {

// Of the complete trials of a sweep: the components of which they used more than one build.
class BuildMix {
 public:
  explicit BuildMix(std::span<const TrialRecord> records);

  [[nodiscard]] bool empty() const noexcept { return trials_.empty(); }
  // The builds of these components that a trial used: `gnn/gcn=1a2b3c4d5e6f`, separated by spaces.
  [[nodiscard]] std::string of(const TrialRecord& record) const;
  // `gnn/gcn: 1a2b3c4d5e6f (3 trials), 9f8e7d6c5b4a (1 trial)`, one line a component.
  [[nodiscard]] std::string text() const;

 private:
  std::map<std::string, std::map<std::string, std::size_t>> trials_;  // by component and build
};

}  // namespace espalier
