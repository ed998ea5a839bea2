#include "train/graph_choice.hpp"

#include <espalier/core/error.hpp>
#include <string>
#include <utility>

namespace espalier {
namespace {

TrialRequest with_tau(const TrialRequest& request, const Json& tau) {
  TrialRequest with = request;
  Json& graph = with.config.at("graph");
  graph["tau_from"] = "value";
  graph["tau"] = tau;
  return with;
}

}  // namespace

bool leaves_tau_to_validation(const TrialRequest& request) {
  return request.config.at("graph").value("tau_from", std::string()) == "validation";
}

std::optional<GraphChoice> choose_graph(const TrialRequest& request, std::size_t val_images,
                                        const ValTop1& val_top1) {
  if (val_images == 0) {
    throw Error({.what = "graph.tau_from: validation chooses by validation images",
                 .where = {},
                 .expected = "some of them",
                 .found = "none",
                 .fix = "raise protocol.val_shots or protocol.val_fraction"});
  }
  GraphChoice choice{.request = request, .tried = Json::array()};
  double best = -1;
  for (const Json& tau : request.config.at("graph").at("taus")) {
    TrialRequest with = with_tau(request, tau);
    // What a stopped training leaves on disk is not for the trial itself.
    with.trial_id += ":tau=" + tau.dump();
    const std::optional<double> top1 = val_top1(with);
    if (!top1) return std::nullopt;
    choice.tried.push_back({{"tau", tau}, {"val_top1", *top1}});
    if (*top1 <= best) continue;
    best = *top1;
    choice.request = with_tau(request, tau);
  }
  return choice;
}

}  // namespace espalier
