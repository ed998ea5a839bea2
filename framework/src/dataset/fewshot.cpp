#include <espalier/dataset/fewshot.hpp>
#include <espalier/dataset/python_random.hpp>
#include <numeric>
#include <unordered_map>

namespace espalier {
namespace {

using Positions = std::vector<std::size_t>;

std::vector<Positions> by_first_appearance(std::span<const std::int64_t> labels) {
  std::vector<Positions> classes;
  std::unordered_map<std::int64_t, std::size_t> place;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto [it, added] = place.emplace(labels[i], classes.size());
    if (added) classes.emplace_back();
    classes[it->second].push_back(i);
  }
  return classes;
}

Positions draw(std::span<const std::int64_t> labels, std::int64_t shots, PythonRandom& random) {
  Positions chosen;
  if (shots == 0) {
    chosen.resize(labels.size());
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    return chosen;
  }
  const auto wanted = static_cast<std::size_t>(shots);
  for (const Positions& members : by_first_appearance(labels)) {
    if (members.size() < wanted) {
      chosen.insert(chosen.end(), members.begin(), members.end());
      continue;
    }
    const auto picks = random.sample(static_cast<std::uint32_t>(members.size()),
                                     static_cast<std::uint32_t>(wanted));
    for (const std::uint32_t pick : picks) chosen.push_back(members[pick]);
  }
  return chosen;
}

}  // namespace

FewShot few_shot(std::span<const std::int64_t> train_labels,
                 std::span<const std::int64_t> val_labels, std::int64_t shots,
                 std::int64_t val_shots, std::int64_t seed) {
  PythonRandom random(seed);
  FewShot chosen;
  chosen.train = draw(train_labels, shots, random);
  chosen.val = draw(val_labels, val_shots, random);
  return chosen;
}

}  // namespace espalier
