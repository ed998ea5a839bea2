// A sweep as text for people.
#pragma once

#include "results/sweep_table.hpp"
#include <cstddef>
#include <string>
#include <vector>

namespace espalier {

// What a table of combinations shows.
struct TableView {
  std::string by{};  // the axis to order by; empty: best mean validation accuracy first
  std::vector<std::string> metrics{"val_top1", "test_top1"};  // of trial_fields()
  std::size_t rows = 10;                                      // at most
};

// Throws Error with the axis and every metric that there is none of, and the nearest names.
void check_view(const TableView& view, std::vector<std::string> axes);

// One row a combination of which a trial is complete: its axes, the number of its seeds, of each
// metric mean and standard deviation over them, shares in percent. Marks and notes tell where the
// untrained weights were kept, and where the training graph held test samples. Empty where no trial
// is complete.
[[nodiscard]] std::string combinations_text(const SweepTable& sweep, const TableView& view = {});

// What failed and why, one paragraph a trial; empty where nothing did.
[[nodiscard]] std::string failed_trials(const SweepTable& sweep);

// `graph.tau=0.5 seed=1`; the beginning of the trial_id where nothing is swept.
[[nodiscard]] std::string trial_label(const PlanTable& plan, std::size_t row);

}  // namespace espalier
