// What a trial may choose among by its validation samples.
//
//   tune: {train.lr: [1e-4, 1e-3, 1e-2], train.weight_decay: [0, 0.01], trials: 4}
//
// stands for candidates, of which each trial trains all and keeps the one with the best validation
// top-1, the earlier of equals. Trials of one section have equally many, whatever their method.
// `graph: {tau_from: validation, taus: [0.5, 0.7]}` does the same for the threshold.
#pragma once

#include <cstddef>
#include <espalier/core/json.hpp>
#include <espalier/core/schema.hpp>
#include <vector>

namespace espalier {

inline constexpr std::size_t most_candidates = 1000;

// {"train": {"lr": ...}} as {"train.lr": ...}.
[[nodiscard]] Json dotted(const Json& section);

// Of a resolved section: what each candidate sets in `train`, {"lr": 0.01}, in the order of the
// grid, the last key fastest. With `trials` so many of them, drawn without replacement and by the
// grid alone. None where there is nothing to choose.
[[nodiscard]] std::vector<Json> tune_candidates(const Json& resolved);

// Whether a resolved section `graph` leaves its threshold to the validation samples.
[[nodiscard]] bool leaves_tau_to_validation(const Json& graph);

// What a trial with this configuration chooses among, values by their keys: {"graph.tau": 0.7,
// "train.lr": 0.01}. All thresholds, where `edges` says that its graph counts, each with all that
// `tune` has, where `trained` says that something is trained. None where nothing is left open.
[[nodiscard]] std::vector<Json> trial_candidates(const Json& config, bool edges, bool trained);
// The configuration with these values, of which nothing is left open any more.
[[nodiscard]] Json with_candidate(Json config, const Json& candidate);

// Adds `candidates`, their number, to a resolved section, in which `trials` becomes 0 where it
// leaves none out. Adds to `problems` values that are there twice, and more than most_candidates.
void count_candidates(Json& resolved, const Locator& locate, Problems& problems);

}  // namespace espalier
