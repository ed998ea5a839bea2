// An adapter that Hugging Face PEFT wrote, or this program did: the method that its config names,
// started from its tensors.
#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/module_names.hpp>
#include <espalier/peft/published.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>
#include <spdlog/logger.h>

namespace {

using espalier::Parameters;

struct HfParams {
  espalier::ContentPath path;
  bool frozen = false;
};

void bind(espalier::Schema<HfParams>& s) {
  s.field("path", &HfParams::path)
      .required()
      .doc("Folder with adapter_config.json and adapter_model.safetensors");
  s.field("frozen", &HfParams::frozen)
      .doc("Leave it as it is: what is trained stands behind the encoder");
}

class Hf final : public espalier::Peft {
 public:
  using Params = HfParams;

  Hf(const Params& params, const espalier::RunContext& context)
      : path_(params.path.text),
        frozen_(params.frozen),
        context_(context),
        adapter_(espalier::read_adapter(path_)) {}

  void attach(espalier::AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    // Shapes alone do not tell one model from another of its size.
    const std::string other = espalier::other_base(adapter_, encoder.source);
    if (!other.empty()) context_.log().warn("the adapter {} is of another base: {}", path_, other);
    adapter_ = with_names_here(std::move(adapter_), encoder);
    const espalier::PublishedMethod published =
        espalier::published_method(adapter_.config, path_ + "/adapter_config.json");
    for (const std::string& warning : published.warnings) context_.log().warn("{}", warning);
    method_ = context_.make<espalier::Peft>(published.component);
    if (!method_->class_template().empty()) refuse(published.component.use);
    if (frozen_) {
      attach_frozen(encoder, parameters.device(), random);
    } else {
      attach_loaded(encoder, parameters, random);
    }
  }

  [[nodiscard]] espalier::Json adapter_config() const override { return method_->adapter_config(); }
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override {
    return method_->buffers();
  }
  [[nodiscard]] std::vector<Parameters::Entry> adapter_tensors(
      std::vector<Parameters::Entry> parameters) const override {
    return method_->adapter_tensors(std::move(parameters));
  }
  [[nodiscard]] at::Tensor penalty() const override { return method_->penalty(); }
  void updated(std::int64_t step, std::int64_t steps) override { method_->updated(step, steps); }
  [[nodiscard]] std::vector<Parameters::Entry> memory() const override { return method_->memory(); }
  void merge(espalier::AdaptableEncoder& encoder) override { method_->merge(encoder); }

 private:
  void attach_loaded(espalier::AdaptableEncoder& encoder, Parameters& parameters,
                     espalier::Random& random) {
    const std::size_t before = parameters.entries().size();
    method_->attach(encoder, parameters, random);
    std::vector<Parameters::Entry> wanted = parameters.added_since(before);
    for (Parameters::Entry& buffer : method_->buffers()) wanted.push_back(std::move(buffer));
    espalier::copy_tensors(adapter_.tensors, wanted, path_);
  }

  // With parameters that nobody else knows.
  void attach_frozen(espalier::AdaptableEncoder& encoder, at::Device device,
                     espalier::Random& random) {
    Parameters own;
    const Parameters::Scope scope(own, "frozen", device);
    attach_loaded(encoder, own, random);
    for (at::Tensor& tensor : own.tensors()) tensor.set_requires_grad(false);
  }

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
  bool frozen_;
  const espalier::RunContext& context_;
  espalier::Adapter adapter_;
  std::shared_ptr<espalier::Peft> method_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "hf", 1, Hf, "Starts from an adapter in Hugging Face PEFT's format",
                   "needs_sites mergeable")
