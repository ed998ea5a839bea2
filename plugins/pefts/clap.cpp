// CLAP (Silva-Rodriguez et al. 2024): a linear probe that starts at the class vectors and is held
// to them, each class by how well its vector does on the training samples.
//   logits_c = s cos(f, w_c),  w_c = t_c at the start
//   loss     = cross-entropy + strength mean_c a_c |w_c - t_c|^2
// a_c is the mean zero-shot probability of class c on its own samples. It needs no validation: say
// train.select=last. The published code leaves texts as long as CLIP gives them, where the same
// turn of a vector is a longer way; here they have length 1, and `strength` takes the place of
// their length squared.
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <espalier/nn/unit_rows.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/class_statistics.hpp>
#include <espalier/peft/logits_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct ClapParams {
  double strength = 1;
};

void bind(espalier::Schema<ClapParams>& s) {
  s.field("strength", &ClapParams::strength)
      .range(0, 1e6)
      .doc("Factor on the pull to the class vectors of length 1; 0 for a probe that is free");
  s.paper({{"optimizer", "sgd"},
           {"momentum", 0.9},
           {"lr", 0.1},
           {"batch_size", 256},
           {"epochs", 300},
           {"schedule", "cosine"}},
          "the authors' code, with 20 views");
}

class Clap final : public espalier::LogitsMethod {
 public:
  using Params = ClapParams;
  Clap(const Params& params, const espalier::RunContext&) : strength_(params.strength) {}

  [[nodiscard]] at::Tensor penalty() const override {
    return ((weight_ - classes_).square().sum(1) * pull_).mean() * strength_;
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("clap", {{"strength", espalier::number(strength_)}});
  }

 private:
  void fit(const espalier::MethodInput& input) override {
    const std::int64_t classes = input.classes.size(0);
    const at::Tensor& labels = input.train.labels;
    const at::Tensor probable = at::softmax(input.train.logits, 1);
    pull_ = (probable * espalier::indicators(labels, classes)).sum(0) /
            espalier::rows_per_class(labels, classes);
    classes_ = input.classes;
    scale_ = input.logit_scale;
  }

  void begin(espalier::Parameters& parameters) override {
    weight_ = parameters.add("weight", classes_);
    pull_ = keep("pull", pull_);
  }

  [[nodiscard]] at::Tensor scores(const at::Tensor& features, const at::Tensor&) const override {
    return at::matmul(features, espalier::unit_rows(weight_).t()) * scale_;
  }

  double strength_;
  double scale_ = 1;
  at::Tensor weight_;   // [classes, width]
  at::Tensor classes_;  // [classes, width]
  at::Tensor pull_;     // [classes]
};

}  // namespace

ESPALIER_COMPONENT(
    peft, "clap", 1, Clap,
    "A linear probe held to the class vectors, CLAP (Silva-Rodriguez et al. 2024)",
    "needs_sites needs_features needs_class_texts class_bound fits_features identity_at_init")
