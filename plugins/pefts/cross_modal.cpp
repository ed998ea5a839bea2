// Cross-modal linear probe (Lin et al. 2023): one probe on images and on what the classes are
// called, which count as samples.
//   logits = s f W^T,  W the class vectors at the start
//   loss   = cross-entropy of the images + cross-entropy of the class vectors
// The paper draws batches half of images and half of texts: two means of equal weight, as here. A
// class counts by the mean of its texts.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/peft/logits_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct CrossModalParams {
  double texts = 1;
};

void bind(espalier::Schema<CrossModalParams>& s) {
  s.field("texts", &CrossModalParams::texts)
      .range(0, 1e4)
      .doc("Weight of the class vectors' mean loss over that of the images")
      .source("Lin et al. 2023: halves of a batch");
  s.paper({{"lr", 1e-3}, {"weight_decay", 0.01}, {"batch_size", 8}, {"schedule", "cosine"}},
          "Lin et al. 2023: the first of the grid that they search, for 12,800 updates");
}

class CrossModal final : public espalier::LogitsMethod {
 public:
  using Params = CrossModalParams;
  CrossModal(const Params& params, const espalier::RunContext&) : texts_(params.texts) {}

  [[nodiscard]] at::Tensor penalty() const override {
    const at::Tensor labels = at::arange(classes_.size(0), at::kLong);
    return at::cross_entropy_loss(probe(classes_), labels) * texts_;
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("cross_modal", {{"texts", espalier::number(texts_)}});
  }

 private:
  void fit(const espalier::MethodInput& input) override {
    classes_ = input.classes;
    scale_ = input.logit_scale;
  }

  void begin(espalier::Parameters& parameters) override {
    weight_ = parameters.add("weight", classes_);
  }

  [[nodiscard]] at::Tensor probe(const at::Tensor& x) const {
    return at::matmul(x, weight_.t()) * scale_;
  }
  [[nodiscard]] at::Tensor scores(const at::Tensor& features, const at::Tensor&) const override {
    return probe(features);
  }

  double texts_;
  double scale_ = 1;
  at::Tensor weight_;   // [classes, width]
  at::Tensor classes_;  // [classes, width]
};

}  // namespace

ESPALIER_COMPONENT(
    peft, "cross_modal", 1, CrossModal,
    "A linear probe on images and class texts together (Lin et al. 2023)",
    "needs_sites needs_features needs_class_texts class_bound fits_features identity_at_init")
