// Captions from a file, one a photo. docs/captions.md.
#include <espalier/caption/recorded_captions.hpp>
#include <espalier/core/builtin.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct FileParams {
  espalier::ContentPath file;
};

void bind(espalier::Schema<FileParams>& s) {
  s.field("file", &FileParams::file)
      .required()
      .doc("A caption set, or captions by photo: a CSV table, a JSON object, or JSON lines");
}

class CaptionsOfAFile final : public espalier::Captioner {
 public:
  using Params = FileParams;

  CaptionsOfAFile(const Params& params, const espalier::RunContext& context)
      : captions_(espalier::resolve_path(params.file.text), context.log()) {}

  void check(std::span<const espalier::CaptionRequest> requests) const override {
    captions_.check(requests);
  }
  espalier::Caption caption(const espalier::CaptionRequest& request) const override {
    return {captions_.caption(request), "file"};
  }

 private:
  espalier::RecordedCaptions captions_;
};

}  // namespace

ESPALIER_COMPONENT(captioner, "file", 1, CaptionsOfAFile,
                   "Captions that were written before, by you or by a model, from a file", "text")
