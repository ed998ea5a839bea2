// Captions by a vision model behind an OpenAI-compatible server. docs/captions.md.
#include "captioners/openai/client.hpp"
#include <espalier/caption/asking_captioner.hpp>
#include <espalier/caption/recorded_captions.hpp>
#include <espalier/core/builtin.hpp>
#include <espalier/plugin/component.hpp>
#include <optional>

namespace {

class OpenAi final : public espalier::AskingCaptioner {
 public:
  using Params = espalier::openai::Params;

  OpenAi(const Params& params, const espalier::RunContext& context)
      : concurrency_(params.concurrency), client_(params, {}, context.log()) {
    if (!params.captions.text.empty()) {
      recorded_.emplace(espalier::resolve_path(params.captions.text), context.log());
    }
  }

  void check(std::span<const espalier::CaptionRequest> requests) const override {
    recorded().check(requests);
  }
  espalier::Caption caption(const espalier::CaptionRequest& request) const override {
    return {recorded().caption(request), "openai"};
  }
  espalier::AnsweredCaption ask(const espalier::CaptionRequest& request,
                                const std::function<bool()>& stopped) const override {
    return client_.ask(request, stopped);
  }
  [[nodiscard]] std::int64_t concurrency() const override { return concurrency_; }

 private:
  [[nodiscard]] const espalier::RecordedCaptions& recorded() const {
    if (recorded_) return *recorded_;
    throw espalier::Error({.what = "what a server says is read from a caption set",
                           .where = "captioner.captions",
                           .expected = "the path of a set",
                           .found = {},
                           .fix = "`espalier captions write captioner.use=openai ... --out FILE` "
                                  "makes one; inside another captioner name it by of.use=file "
                                  "of.file=FILE"});
  }

  std::int64_t concurrency_;
  mutable espalier::openai::Client client_;  // which locks for itself
  std::optional<espalier::RecordedCaptions> recorded_;
};

}  // namespace

ESPALIER_COMPONENT(captioner, "openai", 1, OpenAi,
                   "Asks a vision model behind an OpenAI-compatible server", "text recorded")
