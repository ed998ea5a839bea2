#include "train/labelled_protocol.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

#include "train/index_of.hpp"
#include <unordered_map>
#include <utility>

namespace espalier {
namespace {

class Labelled final : public Protocol {
 public:
  Labelled(std::unique_ptr<Protocol> protocol, const LabelledSamples& train, std::int64_t views)
      : protocol_(std::move(protocol)), views_(views) {
    for (std::size_t i = 0; i < train.samples.size(); ++i) {
      label_[train.samples[i]] = train.labels[i];
    }
    take_scene();
  }

  const Scene& training() const override { return training_; }

  std::vector<Scene> scenes(std::span<const std::size_t> queries) const override {
    std::vector<Scene> scenes = protocol_->scenes(queries);
    for (Scene& scene : scenes) {
      if (scene.standing == Standing::apart) scene.graph.label = of_nodes(scene);
      if (scene.standing == Standing::attached) scene.graph.label = of_sources(scene.graph);
    }
    return scenes;
  }

  void rebuild(const NodesOf& nodes) override {
    protocol_->rebuild(nodes);
    take_scene();
  }

 private:
  void take_scene() {
    training_ = protocol_->training();
    training_.graph.label = of_nodes(training_);
  }

  // Nodes behind those of samples are of classes, which are no training samples.
  [[nodiscard]] at::Tensor of_nodes(const Scene& scene) const {
    std::vector<std::int64_t> labels;
    for (std::int64_t v = 0; v < views_; ++v) {
      for (const std::size_t sample : scene.samples) {
        const auto known = label_.find(sample);
        labels.push_back(known == label_.end() ? -1 : known->second);
      }
    }
    labels.resize(static_cast<std::size_t>(scene.graph.targets), -1);
    return index_of(labels, at::kCPU);
  }

  // The training scene's nodes, and behind them queries.
  [[nodiscard]] at::Tensor of_sources(const CsrGraph& graph) const {
    const at::Tensor& known = training_.graph.label;
    return at::cat({known, at::full({graph.sources - known.numel()}, -1, at::kLong)});
  }

  std::unique_ptr<Protocol> protocol_;
  std::int64_t views_;
  std::unordered_map<std::size_t, std::int64_t> label_;
  Scene training_;
};

}  // namespace

std::unique_ptr<Protocol> with_labels(std::unique_ptr<Protocol> protocol,
                                      const LabelledSamples& train, std::int64_t views) {
  return std::make_unique<Labelled>(std::move(protocol), train, views);
}

}  // namespace espalier
