// What only the data itself can say, asked while a plan is made.
#pragma once

#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct DataFacts {
  std::vector<std::string> capabilities;  // of data_capabilities()
};

// A section as the worker gets it, and its canonical identity: equal identities have equal answers.
struct InspectedSection {
  const Json* resolved = nullptr;
  std::string_view identity;
};

// Who opens datasets for a plan, which loads no plugin itself.
class DataInspector {
 public:
  virtual ~DataInspector() = default;

  // Throws Error with all that is wrong with the data.
  [[nodiscard]] virtual DataFacts facts(const InspectedSection& dataset) = 0;
  // Throws Error where a dataset cannot be split by this protocol.
  virtual void check_protocol(const InspectedSection& dataset,
                              const InspectedSection& protocol) = 0;
  // Throws Error where this head's texts do not fit the classes of a dataset.
  virtual void check_head(const InspectedSection& dataset, const InspectedSection& head) = 0;
};

}  // namespace espalier
