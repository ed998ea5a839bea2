// Which component computes a recorded graph layer, and how its parameters are called there.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <optional>
#include <string>
#include <vector>

namespace espalier::conformance {

struct RecordedLayer {
  Json section;        // of the component, with `use`
  std::string prefix;  // of the layer's parameters in the case, behind `param.`
  // The one step of the component that is the layer, such as a deep network's second; else all.
  std::optional<std::int64_t> step = std::nullopt;

  // What a parameter of the component is called in the case; nothing where it plays no part.
  [[nodiscard]] std::optional<std::string> name_of(const std::string& ours) const;
};

// The layers of a case, relu between them; none where no component computes it. `expected` are the
// case's tensors, of which shapes are read. Throws Json::exception where `meta` is no description.
[[nodiscard]] std::vector<RecordedLayer> recorded_layers(const Json& meta,
                                                         const NamedTensors& expected);
// The names of the layers that components compute, for messages.
[[nodiscard]] std::string recorded_layer_names();

}  // namespace espalier::conformance
