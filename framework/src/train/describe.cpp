#include "train/describe.hpp"

#include "experiment/sections.hpp"
#include "train/environment.hpp"

namespace espalier {

void describe_request(const TrialSetting& setting, TrialResult& result) {
  const TrialRequest& request = setting.request();
  result.trial_id = request.trial_id;
  result.combo_id = request.combo_id;
  result.seed = setting.seed();
  result.config = request.config;
  result.attempt = request.attempt;
  result.environment = trial_environment(request.config, setting.hooks().loader->catalog());
}

void describe_training(const Progress& progress, TrialResult& result) {
  result.best_epoch = progress.best_epoch;
  result.epochs = progress.epoch;
  result.train_seconds = progress.seconds;
  result.forward_seconds = progress.forward.seconds;
  result.backward_seconds = progress.backward.seconds;
  result.forward_flops = static_cast<double>(progress.forward.flops);
  result.backward_flops = static_cast<double>(progress.backward.flops);
  result.metrics = progress.metrics;
}

void describe_parameters(const Parameters& parameters, std::int64_t optimizer_bytes,
                         const TrialSetting& setting, TrialResult& result) {
  result.trainable_parameters = parameters.count();
  for (const auto& [name, tensor] : parameters.entries()) {
    if (name.starts_with("peft.")) result.method_parameters += tensor.numel();
  }
  result.optimizer_bytes = optimizer_bytes;
  const auto budget = setting.section<BudgetParams>("budget").trainable;
  if (budget > 0 && result.method_parameters > 0) {
    result.budget_deviation =
        static_cast<double>(result.method_parameters) / static_cast<double>(budget) - 1;
  }
}

}  // namespace espalier
