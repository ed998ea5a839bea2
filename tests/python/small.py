"""The experiment that tests sweep where it does not matter which: a few painted flowers, seconds long."""

EXPERIMENT = """
name: {name}
base:
  dataset: {{use: flora, classes: 4, per_class: 10, size: 32}}
  captioner: {{use: none}}
  encoder: {{use: classical}}
  nodes: {{fuse: image}}
  graph: {{use: knn, k: 3}}
  gnn: {{use: ga_net, bottleneck: 8, layer: gcn}}
  peft: {{use: none}}
  protocol: {{shots: 4, val_shots: 2}}
  train: {train}
sweep:
"""


def experiment(name, train, *blocks):
    """YAML text. `train` is a flow mapping, a block one such as `grid: {seed: [0, 1]}`."""
    return EXPERIMENT.format(name=name, train=train) + "".join(f"  - {block}\n" for block in blocks)
