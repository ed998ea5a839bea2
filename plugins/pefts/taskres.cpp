// TaskRes (Yu et al. 2023): each class vector moves by a trained residual.
//   t' = t + alpha x,  x = 0 at the start
// The published code adds to texts of the length that CLIP gives them, this to means of texts of
// length 1. The moved vectors do not depend on any picture.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>

namespace {

struct TaskResParams {
  double alpha = 0.5;
};

void bind(espalier::Schema<TaskResParams>& s) {
  s.field("alpha", &TaskResParams::alpha)
      .above(0)
      .max(1000)
      .doc("Factor on the residual; the paper takes 1 for Flowers102")
      .source("Yu et al. 2023");
  s.paper({{"optimizer", "adam"},
           {"lr", 2e-3},
           {"weight_decay", 5e-4},
           {"batch_size", 256},
           {"schedule", "cosine"}},
          "the authors' code, for 100 epochs of up to 4 shots, 200 of more");
}

class TaskRes final : public espalier::Peft {
 public:
  using Params = TaskResParams;
  TaskRes(const Params& params, const espalier::RunContext&) : alpha_(params.alpha) {}

  void prepare(const espalier::MethodInput& input) override { start_ = input.classes; }

  void attach(espalier::AdaptableEncoder& encoder, espalier::Parameters& parameters,
              espalier::Random&) override {
    for (espalier::Site* site : encoder.sites(espalier::SiteRole::classifier)) {
      if (!start_.defined()) espalier::refuse_unprepared();
      const espalier::Parameters::Scope here(parameters, "", at::kCPU);
      const at::Tensor residual = parameters.add("residual", at::zeros_like(start_));
      site->hook_input([residual, alpha = alpha_](const at::Tensor& t, const espalier::Mode&) {
        return t + residual * alpha;
      });
    }
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("taskres", {{"alpha", espalier::number(alpha_)}});
  }

 private:
  double alpha_;
  at::Tensor start_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "taskres", 1, TaskRes, "A residual on each class vector (Yu et al. 2023)",
                   "needs_sites needs_features needs_class_texts class_bound identity_at_init")
