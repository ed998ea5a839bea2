#include "train/recipe.hpp"

namespace espalier {

Recipe::Recipe(const TrialSetting& setting)
    : head(setting.section<HeadParams>("head")),
      zero_shot(head.use == "zero_shot"),
      nodes(setting.section<NodesParams>("nodes")),
      train(setting.section<TrainParams>("train")),
      graph(setting.section<ProtocolParams>("protocol").graph),
      method_graph(graph),
      tasks(setting.section<ProtocolParams>("protocol").tasks),
      told(tasks > 1 && setting.section<ProtocolParams>("protocol").scenario == "task"),
      graph_refresh(setting.section<ProtocolParams>("protocol").graph_refresh),
      scores(!zero_shot && setting.has("gnn", "scores")) {
  if (zero_shot) {
    nodes = {.fuse = "image", .normalize = false};
    train.epochs = 0;
    train.ewc = 0;
    tasks = 1;
    told = false;
  }
  if (zero_shot || !setting.has("gnn", "graph")) graph = "none";
  adapted = !zero_shot && !scores && setting.has("peft", "needs_sites");
  if (!adapted || !setting.has("peft", "graph")) method_graph = "none";
  const bool both = edges() && setting.has("graph", "needs_other");
  images = both || nodes.fuse != "text";
  texts = both || nodes.fuse != "image";
  captions = (edges() && setting.has("graph", "needs_texts")) || (adapted && texts);
  if (graph == "none" || !(adapted || nodes.fuse == "cross_attention")) graph_refresh = 0;
  class_nodes = graph == "none" ? 0 : nodes.class_texts;
  const bool compares = zero_shot || (!scores && head.use == "prompts");
  classes = compares || class_nodes > 0;
  class_start = !compares && !scores && head.init == "prompts";
}

}  // namespace espalier
