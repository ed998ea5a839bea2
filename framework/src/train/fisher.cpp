#include "train/fisher.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "train/batch_scene.hpp"
#include "train/index_of.hpp"
#include "train/pass.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/random.hpp>
#include <numeric>
#include <span>
#include <utility>

namespace espalier {
namespace {

using PlaceList = std::vector<std::int64_t>;

// A label and how much its squared gradient counts.
struct Weighted {
  std::int64_t column;
  double weight;
};

PlaceList chosen_places(const Task& task, const FisherOptions& options, Random& random) {
  PlaceList places(task.train.samples.size());
  std::iota(places.begin(), places.end(), std::int64_t{0});
  if (options.samples == 0 || options.samples >= std::ssize(places)) return places;
  random.shuffle(std::span(places));
  places.resize(static_cast<std::size_t>(options.samples));
  std::sort(places.begin(), places.end());
  return places;
}

// On a graph all samples share one tape; without edges each has its own.
std::vector<PlaceList> groups_of(const Task& task, const PlaceList& places) {
  if (task.protocol.training().graph.edges() > 0) return {places};
  std::vector<PlaceList> groups;
  for (const std::int64_t place : places) groups.push_back({place});
  return groups;
}

std::int64_t drawn_column(const std::vector<double>& log_p, Random& random) {
  double left = random.uniform();
  for (std::size_t c = 0; c + 1 < log_p.size(); ++c) {
    left -= std::exp(log_p[c]);
    if (left < 0) return static_cast<std::int64_t>(c);
  }
  return std::ssize(log_p) - 1;
}

class Fisher {
 public:
  Fisher(const Task& task, const FisherOptions& options)
      : task_(task),
        options_(options),
        random_(options.seed, "fisher"),
        places_(chosen_places(task, options, random_)) {
    for (const auto& [name, tensor] : task.parameters.entries()) {
      sums_.emplace_back(name, at::zeros_like(tensor.detach()));
    }
  }

  // False: stopped.
  bool run(const FisherProgress& progress) {
    for (const PlaceList& group : groups_of(task_, places_)) {
      if (!add_group(group, progress)) return false;
    }
    clear();
    return true;
  }

  std::vector<Parameters::Entry> take() { return std::move(sums_); }

 private:
  bool add_group(const PlaceList& group, const FisherProgress& progress) {
    const Scene scene =
        batch_scene(task_.protocol, task_.train.samples, task_.network.fusion().views(), group);
    StateBank bank;
    Pass pass(task_.sources, bank, plain_looks(scene.samples), {});
    const at::Tensor logits = task_.network.scores(scene.graph, pass.values(), {}).logits;
    const at::Tensor asked = logits.index_select(0, index_of(scene.asked, logits.device()));
    const at::Tensor log_p = at::log_softmax(task_.classes.of(asked), 1);
    for (std::size_t i = 0; i < group.size(); ++i) {
      add_sample(log_p[static_cast<std::int64_t>(i)], group[i], pass);
      if (!progress(++done_, std::ssize(places_))) return false;
    }
    return true;
  }

  void add_sample(const at::Tensor& log_p, std::int64_t place, Pass& pass) {
    for (const auto& [column, weight] : labels_of(log_p.detach(), place)) {
      clear();
      log_p[column].backward({}, true);
      pass.backward();
      add_squares(weight / static_cast<double>(places_.size()));
    }
  }

  std::vector<Weighted> labels_of(const at::Tensor& log_p, std::int64_t place) {
    if (options_.labels == FisherLabels::empirical) {
      const std::int64_t label = task_.train.labels[static_cast<std::size_t>(place)];
      return {{task_.classes.column(label), 1.0}};
    }
    const at::Tensor values = log_p.cpu().to(at::kDouble).contiguous();
    const std::vector<double> list(values.data_ptr<double>(),
                                   values.data_ptr<double>() + values.numel());
    if (options_.labels == FisherLabels::sampled) return {{drawn_column(list, random_), 1.0}};
    std::vector<Weighted> all;
    for (std::size_t c = 0; c < list.size(); ++c) {
      all.push_back({static_cast<std::int64_t>(c), std::exp(list[c])});
    }
    return all;
  }

  void add_squares(double weight) {
    const c10::AutoGradMode no_grad(false);
    const auto& entries = task_.parameters.entries();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const at::Tensor& gradient = entries[i].second.grad();
      if (gradient.defined()) sums_[i].second.add_(gradient.square(), weight);
    }
  }

  void clear() const {
    for (const at::Tensor& tensor : task_.parameters.tensors()) tensor.mutable_grad().reset();
  }

  const Task& task_;
  FisherOptions options_;
  Random random_;
  PlaceList places_;
  std::vector<Parameters::Entry> sums_;
  std::int64_t done_ = 0;
};

}  // namespace

std::optional<std::vector<Parameters::Entry>> fisher_information(const Task& task,
                                                                 const FisherOptions& options,
                                                                 const FisherProgress& progress) {
  Fisher fisher(task, options);
  if (!fisher.run(progress)) return std::nullopt;
  return fisher.take();
}

}  // namespace espalier
