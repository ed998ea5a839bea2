#include "run/trial_requests.hpp"

#include "plugin/used_components.hpp"

namespace espalier {

TrialRequests::TrialRequests(const Plan& plan, const TrialStore& store)
    : plan_(plan), store_(store) {
  for (const ComponentInfo& component : plan.catalog().all()) {
    if (!component.file.empty()) (void)hasher_.content(component.file);
  }
}

TrialRequest TrialRequests::of(std::size_t trial) const {
  const PlannedTrial& planned = plan_.trials()[trial];
  TrialRequest request;
  request.trial_id = hex(planned.trial_id);
  request.combo_id = hex(planned.combo_id);
  request.config = plan_.config(trial);
  request.stages = plan_.stages(trial);
  request.folder = store_.folder(request.trial_id);
  request.cache = store_.cache();
  request.inputs = plan_.inputs(trial);
  add_plugins(request);
  return request;
}

void TrialRequests::add_plugins(TrialRequest& request) const {
  for (const ComponentInfo* component : used_components(request.config, plan_.catalog())) {
    if (component->file.empty()) continue;
    request.inputs.push_back({component->kind + "/" + component->name, component->file,
                              hasher_.known(component->file).value()});
  }
}

}  // namespace espalier
