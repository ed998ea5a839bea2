// What only the data itself can say, asked while a plan is made.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct DataFacts {
  std::vector<std::string> capabilities;  // of data_capabilities()
  std::vector<std::string> warnings;      // of what was left out when it was opened, a line each
};

// A section as the worker gets it, and its canonical identity: equal identities have equal answers.
struct InspectedSection {
  const Json* resolved = nullptr;
  std::string_view identity;
};

// How many samples a protocol takes of a dataset.
struct SplitSizes {
  std::int64_t train = 0;
  std::int64_t val = 0;
  std::int64_t others = 0;  // of validation and test
};

// Where a method cuts a tower: what is below is frozen.
struct TowerCut {
  std::string tower;           // image | text
  std::int64_t cut = 0;        // as nn/tower.hpp counts it
  std::int64_t layers = 0;     // of the tower
  std::int64_t bytes = 0;      // of what enters the cut for one picture, in float32; 0 of texts
  std::int64_t trainable = 0;  // parameters of the method, in all towers
};

struct MethodCuts {
  std::vector<TowerCut> towers;  // those that it reaches
  std::string nothing;           // the towers that it finds nothing to train in, in words, or empty
  std::vector<std::string> warnings = {};  // that it gave, with its name
};

// How much a method trains with a setting that its size depends on.
struct MethodSize {
  std::int64_t value = 0;      // of the setting; of no meaning where none was asked about
  std::int64_t trainable = 0;  // parameters, in all towers
};

struct SizeSearch {
  // The largest that trains no more than was asked for; none where even the smallest does.
  std::optional<MethodSize> found;
  std::optional<MethodSize> smallest;  // none: it cannot be known before features are there
};

// What a method is asked to fit into.
struct SizeQuestion {
  std::int64_t trainable = 0;        // at most
  std::string key;                   // of the setting; empty: the method has none
  std::vector<std::int64_t> values;  // to try, those that train less first
};

// Who opens datasets for a plan, which loads no plugin itself.
class DataInspector {
 public:
  virtual ~DataInspector() = default;

  // Throws Error with all that is wrong with the data.
  [[nodiscard]] virtual DataFacts facts(const InspectedSection& dataset) = 0;
  // Throws Error where a dataset cannot be split by this protocol.
  [[nodiscard]] virtual SplitSizes check_protocol(const InspectedSection& dataset,
                                                  const InspectedSection& protocol) = 0;
  // Throws Error where this head's texts do not fit the classes of a dataset.
  virtual void check_head(const InspectedSection& dataset, const InspectedSection& head) = 0;
  // Throws Error where a captioner cannot caption every sample of a dataset.
  virtual void check_captions(const InspectedSection& dataset,
                              const InspectedSection& captioner) = 0;
  // Where a method cuts the towers of an encoder, of which a trial looks at `towers` (of image,
  // text and class_vectors, which is the text tower too).
  [[nodiscard]] virtual MethodCuts cuts(const InspectedSection& encoder,
                                        const InspectedSection& peft,
                                        const std::vector<std::string>& towers) = 0;
  // How large a method may be there. A method that learns in the classes' texts looks at the
  // dataset's.
  [[nodiscard]] virtual SizeSearch fit(const InspectedSection& encoder,
                                       const InspectedSection& peft,
                                       const InspectedSection& dataset,
                                       const std::vector<std::string>& towers,
                                       const SizeQuestion& question) = 0;
};

}  // namespace espalier
