// The captions that a dataset has of its own, such as those in a manifest. docs/captions.md.
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::CaptionRequest;
using espalier::Problem;

constexpr std::size_t most_named = 5;

std::string own_caption(const CaptionRequest& request) {
  const auto caption =
      request.facts.is_object() ? request.facts.find("caption") : request.facts.end();
  return caption == request.facts.end() || !caption->is_string() ? std::string()
                                                                 : caption->get<std::string>();
}

class CaptionsOfTheDataset final : public espalier::Captioner {
 public:
  using Params = espalier::NoParams;

  CaptionsOfTheDataset(const Params&, const espalier::RunContext&) {}

  void check(std::span<const CaptionRequest> requests) const override {
    std::size_t missing = 0;
    std::string named;
    for (const CaptionRequest& request : requests) {
      if (!own_caption(request).empty() || ++missing > most_named) continue;
      named += (named.empty() ? "" : ", ") + std::string(request.id);
    }
    if (missing == 0) return;
    throw espalier::Error(
        Problem{.what = std::to_string(missing) + " of " + std::to_string(requests.size()) +
                        " photos have no caption",
                .where = "captioner/dataset",
                .expected = "a caption for every photo of the dataset",
                .found = "none for " + named + (missing > most_named ? ", ..." : ""),
                .fix = "fill the column `caption` of the manifest, or leave those photos out"});
  }

  espalier::Caption caption(const CaptionRequest& request) const override {
    std::string text = own_caption(request);
    if (!text.empty()) return {std::move(text), "dataset"};
    throw espalier::Error(Problem{.what = "a photo has no caption",
                                  .where = std::string(request.id),
                                  .expected = "a caption of the dataset's own",
                                  .found = {},
                                  .fix = {}});
  }
};

}  // namespace

ESPALIER_COMPONENT(captioner, "dataset", 1, CaptionsOfTheDataset,
                   "The captions that the dataset has of its own", "text needs_captions")
