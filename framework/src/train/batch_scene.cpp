#include "train/batch_scene.hpp"

#include "train/index_of.hpp"

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
  if (all.graph.label.defined()) {
    const at::Tensor of_views = all.graph.label.view({views, -1});
    scene.graph.label =
        of_views.index_select(1, index_of({batch.begin(), batch.end()}, at::kCPU)).flatten();
  }
  return scene;
}

}  // namespace espalier
