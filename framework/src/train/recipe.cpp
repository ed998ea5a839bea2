#include "train/recipe.hpp"

namespace espalier {

Recipe::Recipe(const TrialSetting& setting)
    : head(setting.section<HeadParams>("head")),
      zero_shot(head.use == "zero_shot"),
      nodes(setting.section<NodesParams>("nodes")),
      train(setting.section<TrainParams>("train")),
      graph(setting.section<ProtocolParams>("protocol").graph) {
  if (zero_shot) {
    nodes = {.fuse = "image", .normalize = false};
    train.epochs = 0;
  }
  if (zero_shot || !setting.has("gnn", "graph")) graph = "none";
  const bool both = graph != "none" && setting.has("graph", "needs_other");
  images = both || nodes.fuse != "text";
  texts = both || nodes.fuse != "image";
  adapted = !zero_shot && setting.has("peft", "needs_sites");
  captions = (graph != "none" && setting.has("graph", "needs_texts")) || (adapted && texts);
  classes = zero_shot || head.use == "prompts";
  class_start = !classes && head.init == "prompts";
}

}  // namespace espalier
