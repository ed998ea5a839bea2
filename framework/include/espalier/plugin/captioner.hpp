// Kind `captioner`: an image, and never its label, to text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/core/random.hpp>
#include <espalier/image/image.hpp>
#include <espalier/plugin/dataset.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct CaptionRequest {
  std::string_view id;                         // of the sample
  std::function<Image()> image;                // decodes on demand
  Json facts;                                  // of the dataset, or null
  const Wording* wording = nullptr;            // of the facts; null: plain_wording() will do
  Random random{std::uint64_t{0}};             // of this sample alone
  std::span<const std::string> class_names{};  // of the dataset
  std::int64_t label = -1;                     // told to captioners that are `needs_label` alone
  // The samples of the dataset, and what would be asked of any of them.
  std::size_t samples = 0;
  std::function<CaptionRequest(std::size_t)> of{};
};

struct Caption {
  std::string text;    // UTF-8, may be empty
  std::string source;  // what produced it: a model, a file, a rule
};

enum class LabelTold { no, yes };

// What a captioner is told of a sample in a trial with this seed. The dataset must outlive it.
[[nodiscard]] CaptionRequest caption_request(const Dataset& dataset, std::size_t sample,
                                             std::int64_t seed, LabelTold told = LabelTold::no);

// Capabilities: `text` (not all captions are empty), `needs_attributes`, `needs_captions` (of the
// dataset), `seeded` (the trial's seed changes the captions), `needs_label` (is told the label, to
// make captions wrong in a known way; never for one whose captions should be right).
class Captioner {
 public:
  using Interface = Captioner;
  static constexpr std::string_view kind = "captioner";

  virtual ~Captioner();

  // Called before the first caption with the requests of all samples. Throws Error that names
  // those that cannot be captioned, as far as that can be known without making the captions.
  virtual void check(std::span<const CaptionRequest> requests) const;
  // The same request gives the same caption. May be called from several threads at once.
  [[nodiscard]] virtual Caption caption(const CaptionRequest& request) const = 0;
  // Whether captions say what the request's facts say, so that other facts give another caption.
  [[nodiscard]] virtual bool says_facts() const;
  // What caption() gives for each, which is what this does unless several at once are cheaper.
  [[nodiscard]] virtual std::vector<Caption> captions(
      std::span<const CaptionRequest> requests) const;
};

// Captioner::check() with all samples of a dataset: cheap, and complete before anything is
// computed.
void check_captions(const Captioner& captioner, const Dataset& dataset, std::int64_t seed);

}  // namespace espalier
