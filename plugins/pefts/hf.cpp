// An adapter that Hugging Face PEFT wrote, or this program did: the method that its config names,
// started from its tensors.
#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/published.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>
#include <spdlog/logger.h>

namespace {

using espalier::Parameters;

struct HfParams {
  espalier::ContentPath path;
};

void bind(espalier::Schema<HfParams>& s) {
  s.field("path", &HfParams::path)
      .required()
      .doc("Folder with adapter_config.json and adapter_model.safetensors");
}

class Hf final : public espalier::Peft {
 public:
  using Params = HfParams;

  Hf(const Params& params, const espalier::RunContext& context)
      : path_(params.path.text), adapter_(espalier::read_adapter(path_)) {
    const espalier::PublishedMethod published =
        espalier::published_method(adapter_.config, path_ + "/adapter_config.json");
    for (const std::string& warning : published.warnings) context.log().warn("{}", warning);
    method_ = context.make<espalier::Peft>(published.component);
    if (!method_->class_template().empty()) refuse(published.component.use);
  }

  void attach(espalier::AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    const std::size_t before = parameters.entries().size();
    method_->attach(encoder, parameters, random);
    std::vector<Parameters::Entry> wanted = parameters.added_since(before);
    for (Parameters::Entry& buffer : method_->buffers()) wanted.push_back(std::move(buffer));
    espalier::copy_tensors(adapter_.tensors, wanted, path_);
  }

  [[nodiscard]] espalier::Json adapter_config() const override { return method_->adapter_config(); }
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override {
    return method_->buffers();
  }
  void merge(espalier::AdaptableEncoder& encoder) override { method_->merge(encoder); }

 private:
  // A plan must know from a component's name that it decides what the encoder is told.
  [[noreturn]] void refuse(const std::string& use) const {
    throw espalier::Error({.what =
                               "an adapter of a method that learns what classes are told cannot "
                               "be started from",
                           .where = path_,
                           .expected = "a method that leaves the classes' texts to head.prompts",
                           .found = use,
                           .fix = "train it anew: peft.use=" + use});
  }

  std::string path_;
  espalier::Adapter adapter_;
  std::shared_ptr<espalier::Peft> method_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "hf", 1, Hf, "Starts from an adapter in Hugging Face PEFT's format",
                   "needs_sites mergeable")
