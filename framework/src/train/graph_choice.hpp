// The graph that a trial chooses by its validation images, where its builder leaves tau to them.
#pragma once

#include "run/trial_request.hpp"
#include <cstddef>
#include <espalier/core/json.hpp>
#include <functional>
#include <optional>

namespace espalier {

struct GraphChoice {
  TrialRequest request;  // with the best tau of graph.taus in its graph
  Json tried;            // [{"tau": 0.7, "val_top1": 0.91}, ...]
};

// Whether graph.tau_from is `validation`. A builder with such a parameter has `taus` beside it, and
// can do with `tau_from: value` and one `tau`.
[[nodiscard]] bool leaves_tau_to_validation(const TrialRequest& request);

// Of the best epoch of a training with the graph of this request. Empty: stopped.
using ValTop1 = std::function<std::optional<double>(const TrialRequest& request)>;

// Trains with each of graph.taus; the best stays, of equals the first. Empty: stopped. Throws Error
// where there are no validation images.
[[nodiscard]] std::optional<GraphChoice> choose_graph(const TrialRequest& request,
                                                      std::size_t val_images,
                                                      const ValTop1& val_top1);

}  // namespace espalier
