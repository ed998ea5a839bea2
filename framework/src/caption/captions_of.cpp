#include "caption/captions_of.hpp"

#include <espalier/core/error.hpp>
#include <espalier/plugin/loader.hpp>

namespace espalier {

std::vector<Caption> captions_of(const Captioner& captioner, const std::string& name,
                                 std::span<const CaptionRequest> requests) {
  const std::string what =
      "captions of " + std::string(requests.front().id) + " to " + std::string(requests.back().id);
  std::vector<Caption> captions;
  guarded(name, what, [&] { captions = captioner.captions(requests); });
  if (captions.size() == requests.size()) return captions;
  throw Error({.what = name + " did not caption every picture",
               .where = what,
               .expected = std::to_string(requests.size()) + " captions",
               .found = std::to_string(captions.size()),
               .fix = "this is a mistake in the component"});
}

}  // namespace espalier
