#include "results/trial_fields.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

constexpr TrialField fields[] = {
    {"val_top1", &TrialResult::val_top1},
    {"test_top1", &TrialResult::test_top1},
    {"test_top5", &TrialResult::test_top5},
    {"test_macro_accuracy", &TrialResult::test_macro_accuracy},
    {"test_macro_f1", &TrialResult::test_macro_f1},
    {"test_loss", &TrialResult::test_loss},
    {"test_ece", &TrialResult::test_ece},
    {"task_forgetting", &TrialResult::task_forgetting},
    {"backward_transfer", &TrialResult::backward_transfer},
    {"new_top1", &TrialResult::new_top1},
    {"harmonic_mean", &TrialResult::harmonic_mean},
    {"new_zero_shot_top1", &TrialResult::new_zero_shot_top1},
    {"forgetting", &TrialResult::forgetting},
    {"best_epoch", &TrialResult::best_epoch},
    {"epochs", &TrialResult::epochs},
    {"trainable_parameters", &TrialResult::trainable_parameters},
    {"method_parameters", &TrialResult::method_parameters},
    {"budget_deviation", &TrialResult::budget_deviation},
    {"total_parameters", &TrialResult::total_parameters},
    {"adapter_bytes", &TrialResult::adapter_bytes},
    {"optimizer_bytes", &TrialResult::optimizer_bytes},
    {"caption_score", &TrialResult::caption_score},
    {"caption_leak_rate", &TrialResult::caption_leak_rate},
    {"caption_flagged", &TrialResult::caption_flagged},
    {"train_seconds", &TrialResult::train_seconds},
    {"prefix_seconds", &TrialResult::prefix_seconds},
    {"forward_seconds", &TrialResult::forward_seconds},
    {"backward_seconds", &TrialResult::backward_seconds},
    {"total_seconds", &TrialResult::total_seconds},
    {"prefix_flops", &TrialResult::prefix_flops},
    {"forward_flops", &TrialResult::forward_flops},
    {"backward_flops", &TrialResult::backward_flops},
    {"inference_seconds", &TrialResult::inference_seconds},
    {"merged_inference_seconds", &TrialResult::merged_inference_seconds},
    {"peak_rss_bytes", &TrialResult::peak_rss_bytes},
    {"peak_cuda_bytes", &TrialResult::peak_cuda_bytes},
    {"attempt", &TrialResult::attempt},
};

}  // namespace

std::span<const TrialField> trial_fields() { return fields; }

double metric_of(const TrialResult& result, std::string_view field) {
  const auto it = std::find_if(std::begin(fields), std::end(fields),
                               [&](const TrialField& f) { return f.name == field; });
  ESPALIER_ASSERT(it != std::end(fields), "a metric is a field");
  return std::visit([&](auto member) { return static_cast<double>(result.*member); }, it->member);
}

bool kept_untrained(const TrialResult& result) {
  return result.best_epoch == 0 && result.epochs > 0 && result.trainable_parameters > 0;
}

std::string tuned_text(const std::vector<TunedCandidate>& candidates) {
  std::string text;
  for (const TunedCandidate& candidate : candidates) {
    if (!candidate.chosen) continue;
    for (const auto& [key, value] : candidate.settings.items()) {
      text += (text.empty() ? "" : " ") + key + "=" + canonical_json(value);
    }
  }
  return text;
}

Json summary_json(const TrialResult& result) {
  Json summary = Json::object();
  for (const TrialField& field : fields) {
    std::visit([&](auto member) { summary[std::string(field.name)] = result.*member; },
               field.member);
  }
  for (Json& value : summary) {
    if (value.is_number_float() && !std::isfinite(value.get<double>())) value = nullptr;
  }
  return summary;
}

void read_summary(const Json& summary, TrialResult& result) {
  for (const TrialField& field : fields) {
    const auto it = summary.find(field.name);
    if (it == summary.end() || !it->is_number()) continue;
    std::visit([&](auto member) { it->get_to(result.*member); }, field.member);
  }
}

ColumnValues field_column(const TrialField& field, std::size_t rows,
                          const std::function<const TrialResult&(std::size_t)>& row) {
  return std::visit(
      [&](auto member) -> ColumnValues {
        std::vector<std::decay_t<decltype(row(0).*member)>> list;
        list.reserve(rows);
        for (std::size_t i = 0; i < rows; ++i) list.push_back(row(i).*member);
        return list;
      },
      field.member);
}

}  // namespace espalier
