#include <algorithm>
#include <cmath>
#include <espalier/caption/filter.hpp>
#include <map>

namespace espalier {
namespace {

using Places = std::vector<std::size_t>;

std::ptrdiff_t count_broken(const RatedCaption& caption, const FilterWish& wish) {
  return std::count_if(wish.rules.begin(), wish.rules.end(),
                       [&](CaptionRule rule) { return caption.broken.has(rule); });
}

double score_or_least(const RatedCaption& caption) {
  return std::isnan(caption.score) ? -INFINITY : caption.score;
}

Places lowest_of(std::span<const RatedCaption> captions, Places places, double share) {
  std::erase_if(places, [&](std::size_t i) { return std::isnan(captions[i].score); });
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return captions[a].score < captions[b].score;
  });
  places.resize(static_cast<std::size_t>(share * static_cast<double>(places.size()) + 1e-9));
  return places;
}

}  // namespace

FilterOutcome filter_captions(std::span<const RatedCaption> captions, const FilterWish& wish,
                              bool keep_one) {
  std::map<std::int64_t, Places> classes;
  for (std::size_t i = 0; i < captions.size(); ++i) classes[captions[i].label].push_back(i);
  FilterOutcome outcome;
  for (const auto& [label, places] : classes) {
    std::vector<bool> goes(places.size());
    const Places lowest = lowest_of(captions, places, wish.lowest);
    const std::size_t* best = nullptr;
    bool text_stays = false;
    const auto better = [&](std::size_t a, std::size_t b) {
      const auto broken_a = count_broken(captions[a], wish),
                 broken_b = count_broken(captions[b], wish);
      return broken_a != broken_b ? broken_a < broken_b
                                  : score_or_least(captions[a]) > score_or_least(captions[b]);
    };
    for (std::size_t p = 0; p < places.size(); ++p) {
      const std::size_t i = places[p];
      goes[p] = count_broken(captions[i], wish) > 0 ||
                std::find(lowest.begin(), lowest.end(), i) != lowest.end();
      if (!captions[i].has_text) continue;
      text_stays = text_stays || !goes[p];
      if (best == nullptr || better(i, *best)) best = &places[p];
    }
    for (std::size_t p = 0; p < places.size(); ++p) {
      if (!goes[p]) continue;
      const bool saved = keep_one && !text_stays && &places[p] == best;
      (saved ? outcome.saved : outcome.gone).push_back(places[p]);
    }
  }
  std::sort(outcome.gone.begin(), outcome.gone.end());
  std::sort(outcome.saved.begin(), outcome.saved.end());
  return outcome;
}

}  // namespace espalier
