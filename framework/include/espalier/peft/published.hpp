// Which of our components is which of Hugging Face PEFT's methods, or the method of our own that a
// config names (own_adapter_config()).
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/core/schema.hpp>
#include <string>
#include <vector>

namespace espalier {

struct PublishedMethod {
  ComponentRef component;             // a `peft` component and its parameters
  std::vector<std::string> warnings;  // keys that are not known, with what they are set to
};

// The component that an adapter_config.json asks for. Throws Error, with all that is wrong, where
// no component is known to have its `peft_type`, and where a key that changes what is computed is
// set to what the component cannot do. `where` is for messages.
[[nodiscard]] PublishedMethod published_method(const Json& config, const std::string& where);

}  // namespace espalier
