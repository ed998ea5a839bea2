// Captions of several samples by one call.
#pragma once

#include <espalier/plugin/captioner.hpp>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// One a request, of which there is one at least. Throws Error that names the captioner and the
// samples where it throws, or gives another number of them.
[[nodiscard]] std::vector<Caption> captions_of(const Captioner& captioner, const std::string& name,
                                               std::span<const CaptionRequest> requests);

}  // namespace espalier
