// Kind `captioner`: an image, and never its label, to text.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/core/random.hpp>
#include <espalier/image/image.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace espalier {

struct CaptionRequest {
  std::string_view id;              // of the sample
  std::function<Image()> image;     // decodes on demand
  Json facts;                       // of the dataset, or null
  Random random{std::uint64_t{0}};  // of this sample alone
};

struct Caption {
  std::string text;    // UTF-8, may be empty
  std::string source;  // what produced it: a model, a file, a rule
};

// Capabilities: `text` (captions are not empty), `needs_attributes` (of the dataset), `seeded` (the
// trial's seed changes the captions).
class Captioner {
 public:
  using Interface = Captioner;
  static constexpr std::string_view kind = "captioner";

  virtual ~Captioner();

  // The same request gives the same caption. May be called from several threads at once.
  [[nodiscard]] virtual Caption caption(const CaptionRequest& request) const = 0;
};

}  // namespace espalier
