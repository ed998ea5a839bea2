#!/usr/bin/env python3
"""Records what a graph layer of PyTorch Geometric computes, as a case for `espalier parity`.

    python tools/parity/make_gnn_case.py cases/gcn --layer GCNConv --arguments '{"improved": true}'
    python tools/parity/make_gnn_case.py cases/adapter --layer GANet
    python tools/parity/make_gnn_case.py tests/data/gnn --all

OUT gets meta.json (layer, arguments, versions) and expected.safetensors: on a random graph without
self-loops or duplicates (`canonical`) and on one with both (`raw`) the layer's output, the gradients
of sum(out * probe) and the attention; and the output of queries that receive from the first graph's
nodes and send nothing. Float32, one thread. --all writes a folder of small cases, one a layer, which
the tests read.
"""
import argparse
import inspect
import json
import math
from pathlib import Path

import torch
import torch_geometric
import torch_geometric.nn as pyg
from safetensors.torch import save_file
from torch_geometric.nn.conv.gcn_conv import gcn_norm

ATTENTION = ("GATConv", "GATv2Conv", "TransformerConv")
# What a layer is told of the edges, and of the states before.
TAKES = {name: ["edge_weight"] for name in
         ("GCNConv", "GANet", "GraphConv", "ChebConv", "ARMAConv", "APPNP", "SGConv", "GPRGNN")}
TAKES |= {"GCN2Conv": ["x_0", "edge_weight"], "RGCNConv": ["edge_type"], "GINEConv": ["edge_attr"]}
SMALL = {  # one a layer, for the tests
    "sage": ("SAGEConv", {"project": True, "normalize": True}),
    "sage-max": ("SAGEConv", {"aggr": "max"}),
    "gat": ("GATConv", {"heads": 2}),
    "gat-edge": ("GATConv", {"heads": 2, "concat": False, "edge_dim": 2}),
    "gatv2": ("GATv2Conv", {"heads": 2, "share_weights": True}),
    "gatv2-edge": ("GATv2Conv", {"heads": 2, "edge_dim": 2}),
    "gin": ("GINConv", {"train_eps": True}),
    "gine": ("GINEConv", {"train_eps": True, "edge_dim": 2}),
    "appnp": ("APPNP", {"K": 4, "alpha": 0.2}),
    "sgc": ("SGConv", {"K": 2}),
    "gcn2": ("GCN2Conv", {"alpha": 0.1, "theta": 0.5, "layer": 2}),
    "gcn2-unshared": ("GCN2Conv", {"alpha": 0.1, "theta": 0.5, "layer": 1, "shared_weights": False}),
    "transformer": ("TransformerConv", {"heads": 2, "beta": True}),
    "transformer-edge": ("TransformerConv", {"heads": 2, "concat": False, "edge_dim": 2}),
    "rgcn": ("RGCNConv", {"num_relations": 3}),
    "rgcn-bases": ("RGCNConv", {"num_relations": 3, "num_bases": 2}),
    "rgcn-blocks": ("RGCNConv", {"num_relations": 3, "num_blocks": 2}),
    "graph_conv": ("GraphConv", {}),
    "gprgnn": ("GPRGNN", {"K": 3}),
    "cheb": ("ChebConv", {"K": 3}),
    "arma": ("ARMAConv", {"num_stacks": 2, "num_layers": 2}),
    "edge_conv": ("EdgeConv", {}),
}


class GANet(torch.nn.Module):
    """y = x + s (W_up relu(GCN(W_down x + b_down)) + b_up)."""

    def __init__(self, width, bottleneck=4, scale=0.5):
        super().__init__()
        self.down = torch.nn.Linear(width, bottleneck)
        self.gnn = pyg.GCNConv(bottleneck, bottleneck)
        self.up = torch.nn.Linear(bottleneck, width)
        self.scale = scale

    def forward(self, x, edge_index, edge_weight):
        hidden = self.gnn(self.down(x), edge_index, edge_weight)
        return x + self.scale * self.up(hidden.relu())


class GPRGNN(torch.nn.Module):
    """sum over k of gamma_k P^k x, P as GCNConv normalises it."""

    def __init__(self, width, K=10):
        super().__init__()
        self.gamma = torch.nn.Parameter(torch.empty(K + 1))

    def forward(self, x, edge_index, edge_weight):
        (source, target), w = gcn_norm(edge_index, edge_weight, len(x))
        out = self.gamma[0] * x
        for gamma in self.gamma[1:]:
            x = torch.zeros_like(x).index_add(0, target, w[:, None] * x[source])
            out = out + gamma * x
        return out


def perceptron(width, out=6, hidden=5):
    return torch.nn.Sequential(torch.nn.Linear(width, hidden), torch.nn.ReLU(),
                               torch.nn.Linear(hidden, out))


def layer_of(name, width, arguments):
    """The layer and the arguments that it was made with."""
    if name == "GANet":
        arguments = {"bottleneck": 4, "scale": 0.5} | arguments
        return GANet(width, **arguments), arguments
    if name in ("GPRGNN", "GCN2Conv"):
        return (GPRGNN if name == "GPRGNN" else pyg.GCN2Conv)(width, **arguments), arguments
    if name == "APPNP":
        return pyg.APPNP(**arguments), arguments
    layer = getattr(pyg, name)
    if "nn" in inspect.signature(layer).parameters:
        return layer(perceptron(width * (1 + (name == "EdgeConv"))), **arguments), arguments
    arguments = {"out_channels": 8} | arguments
    return layer(width, **arguments), arguments


def attributes(edge_index, arguments):
    count = edge_index.shape[1]
    return {"edge_index": edge_index, "edge_weight": torch.rand(count) * 0.9 + 0.1,
            "edge_attr": torch.randn(count, arguments.get("edge_dim", 1)),
            "edge_type": torch.randint(arguments.get("num_relations", 1), (count,))}


def random_edges(targets, sources, share, square):
    """Each pair with probability `share`, by target."""
    chosen = torch.rand(targets, sources) < share
    if square:
        chosen.fill_diagonal_(False)
    target, source = chosen.nonzero(as_tuple=True)
    return torch.stack([source, target])


def raw_edges(canonical, nodes):
    """The same in any order, some twice, with self-loops and a hub."""
    loops = torch.tensor([[1, nodes - 1], [1, nodes - 1]])
    hub = torch.stack([torch.arange(1, nodes), torch.zeros(nodes - 1, dtype=torch.long)])
    edges = torch.cat([canonical, canonical[:, :4], hub, loops], dim=1)
    return edges[:, torch.randperm(edges.shape[1])]


def run(layer, takes, x, x_0, graph):
    first = (x, x_0) if "x_0" in takes else (x,)
    return layer(*first, graph["edge_index"], **{k: graph[k] for k in takes if k != "x_0"})


def on_graph(layer, name, takes, x, x_0, graph):
    graph = {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in graph.items()}
    x = x.clone().requires_grad_()
    layer.zero_grad()
    out = run(layer, takes, x, x_0, graph)
    probe = torch.randn_like(out)
    loss = (out * probe).sum()
    loss.backward()
    result = {"out": out, "probe": probe, "loss": loss, "grad.x": x.grad}
    result |= {f"grad.{k}": graph[k].grad for k in takes if k in ("edge_weight", "edge_attr")}
    # TransformerConv without root_weight keeps a matrix that it does not use.
    result |= {f"grad.{k}": v.grad.clone() for k, v in layer.named_parameters() if v.grad is not None}
    if name in ATTENTION:
        told = {k: graph[k] for k in takes}
        _, (_, alpha) = layer(x, graph["edge_index"], **told, return_attention_weights=True)
        result["attention.alpha"] = alpha
    return result


def attached(layer, takes, x, x_0, graph, queries, queries_0, to_queries):
    """Queries as further nodes: they only receive, so that nothing changes for the others."""
    shift = torch.tensor([[0], [len(x)]])
    both = {k: torch.cat([graph[k], v + shift if k == "edge_index" else v],
                         dim=1 if k == "edge_index" else 0) for k, v in to_queries.items()}
    out = run(layer, takes, torch.cat([x, queries]), torch.cat([x_0, queries_0]), both)
    return out[len(x):]


def make_case(out, name, arguments, width=12, nodes=40, queries=7, seed=0):
    torch.manual_seed(seed)
    takes = TAKES.get(name, ["edge_attr"] if "edge_dim" in arguments else [])
    layer, arguments = layer_of(name, width, arguments)
    layer.eval()
    for value in layer.parameters():
        torch.nn.init.normal_(value, std=0.5 if value.ndim < 2 else 1 / math.sqrt(value.shape[-1]))
    x, x_query, x_0, x_0_query = (torch.randn(n, width) for n in (nodes, queries) * 2)
    canonical = attributes(random_edges(nodes - 1, nodes, 0.15, square=True), arguments)
    raw = attributes(raw_edges(canonical["edge_index"], nodes - 1), arguments)
    to_queries = attributes(random_edges(queries, nodes, 0.1, square=False), arguments)

    tensors = {"x": x, "x_query": x_query}
    if "x_0" in takes:
        tensors |= {"x_0": x_0, "x_0_query": x_0_query}
    tensors |= {f"param.{k}": v for k, v in layer.named_parameters()}
    for kind, graph in {"canonical": canonical, "raw": raw, "attach": to_queries}.items():
        tensors |= {f"{kind}.{k}": graph[k] for k in ["edge_index"] + [t for t in takes if t in graph]}
    for kind, graph in {"canonical": canonical, "raw": raw}.items():
        tensors |= {f"{kind}.{k}": v for k, v in on_graph(layer, name, takes, x, x_0, graph).items()}
    if name != "ChebConv":  # a query changes the degrees of the nodes that send to it
        with torch.no_grad():
            tensors["attach.out"] = attached(layer, takes, x, x_0, canonical, x_query, x_0_query,
                                             to_queries)

    out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, out / "expected.safetensors")
    meta = {"layer": name, "arguments": arguments,
            "versions": {"torch": torch.__version__,
                         "torch_geometric": torch_geometric.__version__}}
    (out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    names = sorted({name for name, _ in SMALL.values()} | {"GCNConv", "GANet"})
    parser.add_argument("out", type=Path)
    parser.add_argument("--layer", choices=names, default="GCNConv")
    parser.add_argument("--arguments", type=json.loads, default={}, help="of the layer, as JSON")
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--nodes", type=int, default=40)
    parser.add_argument("--queries", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="the small cases of the tests")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if args.all:
        for folder, (name, arguments) in SMALL.items():
            small = arguments if name in ("APPNP", "GPRGNN", "GCN2Conv", "GINConv", "GINEConv",
                                          "EdgeConv") else {"out_channels": 4} | arguments
            make_case(args.out / folder, name, small, width=6, nodes=14, queries=3, seed=args.seed)
        return
    make_case(args.out, args.layer, args.arguments, args.width, args.nodes, args.queries, args.seed)


if __name__ == "__main__":
    main()
