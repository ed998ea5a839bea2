#include "train/split.hpp"

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <espalier/dataset/fewshot.hpp>
#include <span>

namespace espalier {
namespace {

using Places = std::vector<std::size_t>;

struct Pools {
  Places train;
  Places val;
  Places test;
};

[[noreturn]] void refuse_split(std::string what, std::string expected, std::string found,
                               std::string fix) {
  throw Error({.what = std::move(what),
               .where = {},
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = std::move(fix)});
}

void check_samples(const Dataset& dataset) {
  const auto classes = static_cast<std::int64_t>(dataset.class_names().size());
  if (classes < 2) {
    refuse_split("the dataset has too few classes", "at least 2", std::to_string(classes), {});
  }
  if (dataset.samples().empty())
    refuse_split("the dataset has no samples", "at least one", "none", {});
  for (const Sample& sample : dataset.samples()) {
    if (sample.label >= 0 && sample.label < classes) continue;
    refuse_split("the label of sample \"" + sample.id + "\" is out of range",
                 "0 to " + std::to_string(classes - 1), std::to_string(sample.label), {});
  }
}

Pools official(const std::vector<Sample>& samples) {
  Pools pools;
  std::size_t unassigned = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    switch (samples[i].split) {
      case Split::none:
        ++unassigned;
        [[fallthrough]];
      case Split::train:
        pools.train.push_back(i);
        break;
      case Split::val:
        pools.val.push_back(i);
        break;
      case Split::test:
        pools.test.push_back(i);
        break;
    }
  }
  if (unassigned > 0 && unassigned < samples.size()) {
    refuse_split("the dataset assigns only some of its samples to splits", "all of them or none",
                 std::to_string(unassigned) + " of " + std::to_string(samples.size()) + " without",
                 {});
  }
  return pools;
}

std::int64_t share_of(std::size_t count, double fraction) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(count) * fraction));
}

void move_tail(Places& from, std::int64_t count, Places& to) {
  to.insert(to.end(), from.end() - count, from.end());
  from.resize(from.size() - static_cast<std::size_t>(count));
}

// Takes the missing splits out of the training pool, class by class.
void carve(const Dataset& dataset, const ProtocolParams& protocol, Pools& pools) {
  const bool need_val = pools.val.empty() && protocol.val_fraction > 0;
  const bool need_test = pools.test.empty();
  if (!need_val && !need_test) return;
  std::vector<Places> by_class(dataset.class_names().size());
  for (const std::size_t i : pools.train) {
    by_class[static_cast<std::size_t>(dataset.samples()[i].label)].push_back(i);
  }
  pools.train.clear();
  Random random(protocol.split_seed, "split");
  for (std::size_t c = 0; c < by_class.size(); ++c) {
    Places& members = by_class[c];
    const std::int64_t test = need_test ? share_of(members.size(), protocol.test_fraction) : 0;
    const std::int64_t val = need_val ? share_of(members.size(), protocol.val_fraction) : 0;
    if (static_cast<std::int64_t>(members.size()) <= test + val) {
      refuse_split("class \"" + dataset.class_names()[c] + "\" has too few images to be split",
                   "at least " + std::to_string(test + val + 1), std::to_string(members.size()),
                   "add images, drop the class, or give the dataset splits of its own");
    }
    random.shuffle(std::span(members));
    move_tail(members, test, pools.test);
    move_tail(members, val, pools.val);
    pools.train.insert(pools.train.end(), members.begin(), members.end());
  }
  for (Places* pool : {&pools.train, &pools.val, &pools.test}) {
    std::sort(pool->begin(), pool->end());
  }
}

std::vector<std::int64_t> labels_of(const Dataset& dataset, const Places& positions) {
  std::vector<std::int64_t> labels;
  labels.reserve(positions.size());
  for (const std::size_t i : positions) labels.push_back(dataset.samples()[i].label);
  return labels;
}

LabelledSamples select(const LabelledSamples& from, const Places& positions) {
  LabelledSamples chosen;
  for (const std::size_t p : positions) {
    chosen.samples.push_back(from.samples[p]);
    chosen.labels.push_back(from.labels[p]);
  }
  return chosen;
}

// Positions of the pool's samples whose class is below `classes`, or is not.
Places of_classes(const Dataset& dataset, const Places& pool, std::int64_t classes, bool below) {
  Places chosen;
  for (const std::size_t i : pool) {
    if ((dataset.samples()[i].label < classes) == below) chosen.push_back(i);
  }
  return chosen;
}

void keep_below(LabelledSamples& samples, std::int64_t classes) {
  Places places;
  for (std::size_t i = 0; i < samples.labels.size(); ++i) {
    if (samples.labels[i] < classes) places.push_back(i);
  }
  samples = select(samples, places);
}

SealedSamples sealed(const Dataset& dataset, Places places, std::int64_t first_class) {
  std::vector<std::int64_t> labels = labels_of(dataset, places);
  for (std::int64_t& label : labels) label -= first_class;
  return {std::move(places), SealedLabels(std::move(labels))};
}

std::int64_t learnt_classes(const Dataset& dataset, const ProtocolParams& protocol) {
  const std::int64_t all = std::ssize(dataset.class_names());
  if (protocol.classes == "all") return all;
  constexpr std::int64_t fewest = 4;
  if (all >= fewest) return (all + 1) / 2;
  refuse_split("protocol.classes: base divides the classes into learnt and new ones",
               "a dataset of at least 4 classes", std::to_string(all), "protocol.classes: all");
}

}  // namespace

DataSplit split_dataset(const Dataset& dataset, const ProtocolParams& protocol, std::int64_t seed) {
  check_samples(dataset);
  Pools pools = official(dataset.samples());
  carve(dataset, protocol, pools);
  const LabelledSamples train{pools.train, labels_of(dataset, pools.train)};
  const LabelledSamples val{pools.val, labels_of(dataset, pools.val)};
  const FewShot drawn =
      few_shot(train.labels, val.labels, protocol.shots, validation_shots(protocol), seed);
  const std::int64_t classes = learnt_classes(dataset, protocol);
  DataSplit split{
      .train = select(train, drawn.train),
      .val = select(val, drawn.val),
      .test = sealed(dataset, of_classes(dataset, pools.test, classes, true), 0),
      .new_test = sealed(dataset, of_classes(dataset, pools.test, classes, false), classes),
      .classes = classes,
      .unlabelled_train = of_classes(dataset, pools.train, classes, true)};
  keep_below(split.train, classes);
  keep_below(split.val, classes);
  return split;
}

}  // namespace espalier
