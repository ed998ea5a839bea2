// The numbers that a trial ends with, listed once: the columns of /trials, the row /final of
// result.h5 and the summary in the journal are all made from this list.
#pragma once

#include "results/table.hpp"
#include "results/trial_result.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <functional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace espalier {

struct TrialField {
  std::string_view name;
  std::variant<double TrialResult::*, std::int64_t TrialResult::*> member;
};

// In the order of the columns.
[[nodiscard]] std::span<const TrialField> trial_fields();

// The value of the field of that name, which must be one.
[[nodiscard]] double metric_of(const TrialResult& result, std::string_view field);

// Nothing was learnt, where something could have been.
[[nodiscard]] bool kept_untrained(const TrialResult& result);

// `train.lr=0.01 train.epochs=20` of the candidate that was chosen; empty where none was.
[[nodiscard]] std::string tuned_text(const std::vector<TunedCandidate>& candidates);

// {"val_top1": 0.5, ...}; missing numbers are null.
[[nodiscard]] Json summary_json(const TrialResult& result);
// The reverse; what is absent or of another type stays as it is.
void read_summary(const Json& summary, TrialResult& result);

// One column of `rows` trials; row(i) gives the i-th.
[[nodiscard]] ColumnValues field_column(const TrialField& field, std::size_t rows,
                                        const std::function<const TrialResult&(std::size_t)>& row);

}  // namespace espalier
