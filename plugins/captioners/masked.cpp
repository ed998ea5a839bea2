// Captions of another captioner without the names of classes. docs/captions.md.
#include <algorithm>
#include <espalier/caption/class_names.hpp>
#include <espalier/core/builtin.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>
#include <mutex>
#include <vector>

namespace {

using espalier::CaptionRequest;
using espalier::ClassNames;
using espalier::ComponentRef;

struct MaskedParams {
  ComponentRef of{.use = "file", .params = {}};
  bool mask_names = true;
  std::string word = "object";
  espalier::ContentPath synonyms;
};

void bind(espalier::Schema<MaskedParams>& s) {
  s.field("of", &MaskedParams::of)
      .kind("captioner")
      .required()
      .doc("The captioner whose captions are masked");
  s.field("mask_names", &MaskedParams::mask_names)
      .doc("Replace the names of all classes; false leaves captions as they are");
  s.field("word", &MaskedParams::word)
      .only_if("mask_names")
      .doc("What stands in the place of a name, such as flower");
  s.field("synonyms", &MaskedParams::synonyms)
      .only_if("mask_names")
      .doc("JSON file of further names, {class: [name, ...]}; empty for none");
}

class Masked final : public espalier::Captioner {
 public:
  using Params = MaskedParams;

  Masked(const Params& params, const espalier::RunContext& context)
      : params_(params), of_(context.make<espalier::Captioner>(params.of)) {
    if (!params.synonyms.text.empty()) {
      synonyms_ = espalier::read_synonyms(espalier::resolve_path(params.synonyms.text));
    }
  }

  void check(std::span<const CaptionRequest> requests) const override {
    of_->check(requests);
    if (params_.mask_names && !requests.empty()) (void)names(requests[0]);
  }

  espalier::Caption caption(const CaptionRequest& request) const override {
    espalier::Caption caption = of_->caption(request);
    if (params_.mask_names) caption.text = names(request)->masked(caption.text, params_.word);
    return caption;
  }

  bool says_facts() const override { return of_->says_facts(); }

 private:
  // Made once for a dataset.
  [[nodiscard]] std::shared_ptr<const ClassNames> names(const CaptionRequest& request) const {
    const std::lock_guard lock(mutex_);
    const auto& of = request.class_names;
    if (!made_ || !std::equal(of.begin(), of.end(), made_of_.begin(), made_of_.end())) {
      made_ = std::make_shared<const ClassNames>(of, synonyms_);
      made_of_.assign(of.begin(), of.end());
    }
    return made_;
  }

  Params params_;
  std::shared_ptr<espalier::Captioner> of_;
  espalier::Synonyms synonyms_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const ClassNames> made_;
  mutable std::vector<std::string> made_of_;
};

}  // namespace

ESPALIER_COMPONENT(captioner, "masked", 1, Masked,
                   "Captions of another captioner without the names of classes",
                   "wraps:of unseen:mask_names unseen:word")
