#include "train/batch_scene.hpp"

namespace espalier {

Scene batch_scene(const Protocol& protocol, std::span<const std::size_t> train, std::int64_t views,
                  std::span<const std::int64_t> batch) {
  const Scene& all = protocol.training();
  Scene scene;
  if (all.graph.edges() > 0) {
    scene = all;
    scene.asked.assign(batch.begin(), batch.end());
    return scene;
  }
  for (const std::int64_t i : batch) {
    scene.samples.push_back(train[static_cast<std::size_t>(i)]);
    scene.asked.push_back(std::ssize(scene.asked));
  }
  const std::int64_t nodes = views * std::ssize(batch);
  scene.graph = empty_graph(nodes, nodes);
  return scene;
}

}  // namespace espalier
