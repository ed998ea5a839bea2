#include "results/compared_pairs.hpp"
#include "results/trial_fields.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>

namespace espalier {
namespace {

[[noreturn]] void ambiguous(const ComparedTrial& one, const ComparedTrial& other,
                            const std::string& label) {
  const Settings settings = differing_settings({&one.config, &other.config});
  std::vector<std::string> keys;
  for (const auto& [key, values] : settings) keys.push_back(key);
  const bool known = !keys.empty();
  throw Error({.what = "several trials stand behind one row and seed, and none of them is the pair",
               .where = "the row " + label,
               .expected = "one trial for each seed and setting",
               .found = known ? settings_text(settings)
                              : "the same settings in " + one.name + " and " + other.name,
               .fix = known ? "add what differs to --by: " + joined(keys, ",")
                            : "compare without the folder of one of them"});
}

void name_unpaired(const Partners& some, const Partners& others, std::vector<std::string>& names) {
  for (const auto& [shared, trial] : some) {
    if (!others.contains(shared)) names.push_back(trial->name);
  }
}

std::string apart_text(const Partners& a, const Partners& b, const ComparisonView& view) {
  Settings settings = differing_settings({&a.begin()->second->config, &b.begin()->second->config});
  std::erase_if(settings, [&](const auto& setting) {
    return std::any_of(view.by.begin(), view.by.end(), [&](const std::string& axis) {
      const std::string section = axis.substr(0, axis.rfind(".use"));
      return setting.first == axis || setting.first.starts_with(section + ".");
    });
  });
  return settings_text(settings);
}

}  // namespace

std::vector<double> means_of(const ByDraw& by_draw) {
  std::vector<double> means;
  for (const auto& [draw, values] : by_draw) means.push_back(spread_of(values).mean);
  return means;
}

Partners partners_of(const Trials& trials, const std::string& label) {
  Partners partners;
  for (const ComparedTrial* trial : trials) {
    const auto [it, fresh] = partners.try_emplace(trial->shared, trial);
    if (!fresh) ambiguous(*it->second, *trial, label);
  }
  return partners;
}

Difference difference_of(std::size_t row, const Partners& trials, const Partners& reference,
                         const ComparisonView& view) {
  ByDraw by_draw;
  Difference difference{.row = row};
  for (const auto& [shared, trial] : trials) {
    const auto partner = reference.find(shared);
    if (partner == reference.end()) continue;
    ++difference.pairs;
    by_draw[trial->draw].push_back(metric_of(trial->record.result, view.metric) -
                                   metric_of(partner->second->record.result, view.metric));
  }
  const std::vector<double> differences = means_of(by_draw);
  difference.spread = spread_of(differences);
  difference.test = sign_flip(differences);
  difference.smallest = smallest_sign_flip_p(differences.size());
  difference.detectable = detectable_effect(differences.size()) * difference.spread.std;
  name_unpaired(trials, reference, difference.unpaired);
  name_unpaired(reference, trials, difference.unpaired);
  if (differences.empty()) difference.apart = apart_text(trials, reference, view);
  return difference;
}

void correct_by_holm(ComparedGroup& group) {
  std::vector<double> p;
  std::vector<double> smallest;
  for (const Difference& difference : group.differences) {
    p.push_back(difference.test.p);
    if (!std::isnan(difference.smallest)) smallest.push_back(difference.smallest);
  }
  const std::vector<double> corrected = holm_corrected(p);
  for (std::size_t i = 0; i < p.size(); ++i) group.differences[i].holm = corrected[i];
  if (smallest.empty()) return;
  const double least = *std::min_element(smallest.begin(), smallest.end());
  group.smallest_holm = std::min(1.0, static_cast<double>(smallest.size()) * least);
}

}  // namespace espalier
