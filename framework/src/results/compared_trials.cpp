#include "results/compared_trials.hpp"
#include "results/report.hpp"
#include "results/trial_fields.hpp"
#include "results/value_text.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <utility>

namespace espalier {
namespace {

constexpr const char* drawn_by[] = {"seed", "protocol.split_seed"};

using Leaves = std::map<std::string, Json>;

void add_leaves(const Json& value, const std::string& key, Leaves& leaves) {
  if (!value.is_object() || value.empty()) {
    leaves[key] = value;
    return;
  }
  for (const auto& [name, member] : value.items()) {
    add_leaves(member, key.empty() ? name : key + "." + name, leaves);
  }
}

// The section whose component an axis chooses, whose other parameters belong to that choice.
std::string without_use(const std::string& axis) {
  return axis.ends_with(".use") ? axis.substr(0, axis.size() - 4) : axis;
}

void remove(Json& config, const std::string& key) {
  const std::size_t dot = key.find('.');
  const auto section = config.is_object() ? config.find(key.substr(0, dot)) : config.end();
  if (section == config.end()) return;
  if (dot == std::string::npos) {
    config.erase(section);
  } else {
    remove(*section, key.substr(dot + 1));
  }
}

std::string section_of(const std::string& key) { return key.substr(0, key.find('.')); }

// The key of the image features tells which bytes data and weights had. Axes of other sections than
// these may change whether there are such features.
std::string content_of(const Json& stages, const std::vector<std::string>& axes) {
  const bool same_features = std::all_of(axes.begin(), axes.end(), [](const std::string& axis) {
    const std::string section = section_of(axis);
    return section == "peft" || section == "train" || section == "protocol";
  });
  const Json* key = stages.is_object() ? value_under(stages, "image_features") : nullptr;
  return same_features && key != nullptr ? key->dump() : std::string();
}

// What a method was published with belongs to the choice of the method.
void remove_published(Json& config, const std::vector<std::string>& axes) {
  const Json* keys = value_under(config, "train.from_preset");
  const bool chosen = std::any_of(axes.begin(), axes.end(), [](const std::string& axis) {
    return without_use(axis) == "peft";
  });
  if (keys == nullptr || !keys->is_array() || !chosen) return;
  const Json published = *keys;
  for (const Json& key : published) {
    if (key.is_string()) remove(config, "train." + key.get<std::string>());
  }
  remove(config, "train.from_preset");
}

std::string shared_of(const PlanDetail& detail, const Builds& builds,
                      const std::vector<std::string>& axes) {
  Json config = detail.config;
  for (const std::string& axis : axes) remove(config, without_use(axis));
  remove_published(config, axes);
  Json same_builds = Json::object();
  for (const auto& [component, build] : builds) {
    if (config.contains(component.substr(0, component.find('/')))) same_builds[component] = build;
  }
  return Json{std::move(config), std::move(same_builds), content_of(detail.stages, axes)}.dump();
}

// False where the plan says so of an axis that it sweeps, and where nothing is trained.
bool makes_a_difference(const std::string& axis, const PlanTable& plan, std::size_t row,
                        const Json& config) {
  for (std::size_t i = 0; i < plan.axes.size(); ++i) {
    const std::string& swept = plan.axes[i].key;
    const bool within = axis == swept || axis.starts_with(without_use(swept) + ".");
    if (within && plan.rows[row].values[i].is_null()) return false;
  }
  const Json* head = value_under(config, "head.use");
  if (head == nullptr || *head != "zero_shot") return true;
  constexpr std::string_view trained[] = {"budget", "captioner", "gnn",  "graph",
                                          "nodes",  "peft",      "train"};
  return axis != "protocol.graph" &&
         std::find(std::begin(trained), std::end(trained), section_of(axis)) == std::end(trained);
}

std::string data_of(const Json& config, const std::vector<std::string>& axes) {
  Json data = Json::object();
  for (const char* section : {"dataset", "protocol"}) {
    if (const auto it = config.find(section); it != config.end()) data[section] = *it;
  }
  for (const std::string& axis : axes) remove(data, without_use(axis));
  remove(data, "protocol.split_seed");
  return data.dump();
}

std::string draw_of(const Json& config) {
  std::string draw;
  for (const char* key : drawn_by) {
    if (const Json* value = value_under(config, key)) draw += value->dump() + " ";
  }
  return draw;
}

class Collector {
 public:
  Collector(const std::vector<std::string>& axes, const std::string& metric)
      : axes_(axes), metric_(metric) {}

  void add(const SweepTable& sweep) {
    std::vector<PlanDetail> details = plan_details(sweep.plan);
    for (std::size_t i = 0; i < details.size(); ++i) {
      const PlanRow& row = sweep.plan.rows[i];
      add_leaves(details[i].config, "", known_);
      const std::string name = sweep.plan.name + ": " + trial_label(sweep.plan, i) + " (" +
                               row.trial_id.substr(0, 12) + ")";
      if (takes_part(name, row.trial_id, sweep.records[i])) {
        add(name, axis_values(sweep.plan, i, details[i].config), details[i], sweep.records[i],
            row.sees_test);
      }
    }
    for (const PlanAxis& axis : sweep.plan.axes) {
      if (axis.key != "seed") swept_.insert(axis.key);
    }
  }

  ComparedTrials finished() {
    check_axes();
    if (finished_.empty()) no_trial();
    return std::move(found_);
  }

 private:
  bool takes_part(const std::string& name, const std::string& id, const TrialRecord& record) {
    if (record.status != TrialStatus::complete) {
      leave_out(record.status == TrialStatus::failed ? "failed" : "not finished", name);
      return false;
    }
    const double value = metric_of(record.result, metric_);
    const auto [it, fresh] = finished_.try_emplace(id, value);
    if (fresh) return true;
    const bool same = it->second == value || (std::isnan(it->second) && std::isnan(value));
    leave_out(same ? "there twice" : "there twice with other numbers", name);
    return false;
  }

  std::vector<Json> axis_values(const PlanTable& plan, std::size_t row, const Json& config) const {
    std::vector<Json> values;
    for (const std::string& axis : axes_) {
      const Json* value = value_under(config, axis);
      const bool counts = value != nullptr && makes_a_difference(axis, plan, row, config);
      values.push_back(counts ? *value : Json());
    }
    return values;
  }

  void add(const std::string& name, std::vector<Json> values, PlanDetail& detail,
           const TrialRecord& record, bool sees_test) {
    if (std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_null(); })) {
      return leave_out("without " + joined(axes_), name);
    }
    if (std::isnan(metric_of(record.result, metric_))) {
      return leave_out("without " + metric_, name);
    }
    std::string shared = shared_of(detail, record.builds, axes_);
    std::string data = data_of(detail.config, axes_);
    std::string draw = draw_of(detail.config);
    found_.trials.push_back({name, std::move(values), std::move(detail.config), std::move(shared),
                             std::move(data), sees_test, std::move(draw), record});
  }

  void leave_out(const std::string& why, const std::string& name) {
    found_.left_out[why].push_back(name);
  }

  void check_axes() const {
    std::set<std::string> names;  // sections too
    for (const auto& [key, value] : known_) {
      for (std::size_t end = 0; end != std::string::npos;) {
        end = key.find('.', end + 1);
        names.insert(key.substr(0, end));
      }
    }
    Problems problems;
    for (const std::string& axis : axes_) {
      if (axis != "seed" && names.contains(axis)) continue;
      problems.add({.what = axis == "seed" ? "seeds are what is paired, and no axis to compare"
                                           : "there is no axis \"" + axis + "\"",
                    .where = "--by",
                    .expected = swept_.empty() ? "a setting of the experiments, such as peft.use"
                                               : "a setting of the experiments; swept are " +
                                                     joined({swept_.begin(), swept_.end()}),
                    .found = {},
                    .fix = did_you_mean(axis, {names.begin(), names.end()})});
    }
    problems.throw_if_any();
  }

  [[noreturn]] void no_trial() const {
    std::vector<std::string> reasons;
    for (const auto& [why, names] : found_.left_out) {
      reasons.push_back(std::to_string(names.size()) + " " + why);
    }
    throw Error({.what = "no trial is finished",
                 .where = {},
                 .expected = "results of espalier run",
                 .found = joined(reasons),
                 .fix = "espalier status says what is done; espalier run goes on"});
  }

  const std::vector<std::string>& axes_;
  const std::string& metric_;
  ComparedTrials found_;
  std::map<std::string, double> finished_;  // what is compared, by trial_id
  std::set<std::string> swept_;
  Leaves known_;  // of all configurations
};

bool under_differing_component(const std::string& key, const Settings& settings) {
  for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
    if (settings.contains(key.substr(0, dot) + ".use")) return true;
  }
  return false;
}

}  // namespace

ComparedTrials compared_trials(const std::vector<SweepTable>& sweeps,
                               const std::vector<std::string>& axes, const std::string& metric) {
  Collector collector(axes, metric);
  for (const SweepTable& sweep : sweeps) collector.add(sweep);
  return collector.finished();
}

Settings differing_settings(const std::vector<const Json*>& configs) {
  std::vector<Leaves> all(configs.size());
  Settings settings;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    add_leaves(*configs[i], "", all[i]);
    for (const auto& [key, value] : all[i]) settings[key].insert(value);
  }
  for (auto& [key, values] : settings) {
    const auto lacks = [&name = key](const Leaves& leaves) { return !leaves.contains(name); };
    if (std::any_of(all.begin(), all.end(), lacks)) values.insert(Json());
  }
  for (const char* key : drawn_by) settings.erase(key);
  std::erase_if(settings, [](const auto& setting) { return setting.second.size() < 2; });
  return settings;
}

std::string settings_text(const Settings& settings) {
  std::string text;
  for (const auto& [key, values] : settings) {
    if (values.contains(Json()) && under_differing_component(key, settings)) continue;
    std::vector<std::string> names;
    for (const Json& value : values) names.push_back(plain(value));
    text += (text.empty() ? "" : ", ") + key + " (" + joined(names) + ")";
  }
  return text;
}

bool changes_test_images(const std::string& axis) {
  return axis == "dataset" || axis.starts_with("dataset.") || axis == "protocol" ||
         axis == "protocol.test_fraction" || axis == "protocol.split_seed";
}

}  // namespace espalier
