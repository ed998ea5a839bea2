#!/usr/bin/env python3
"""Records what a graph layer of PyTorch Geometric computes, as a case for `espalier parity`.

    python tools/parity/make_gnn_case.py cases/gcn --layer GCNConv --arguments '{"improved": true}'
    python tools/parity/make_gnn_case.py cases/adapter --layer GANet

OUT gets meta.json (layer, arguments, versions) and expected.safetensors: a random graph without
self-loops or duplicates, the layer's output, the gradients of sum(out * probe), and the output of
queries that receive from the graph's nodes and send nothing. Float32, one thread.
"""
import argparse
import json
from pathlib import Path

import torch
import torch_geometric
from safetensors.torch import save_file
from torch_geometric.nn import GCNConv


class GANet(torch.nn.Module):
    """y = x + s (W_up relu(GCN(W_down x + b_down)) + b_up)."""

    def __init__(self, width, bottleneck=4, scale=0.5):
        super().__init__()
        self.down = torch.nn.Linear(width, bottleneck)
        self.gnn = GCNConv(bottleneck, bottleneck)
        self.up = torch.nn.Linear(bottleneck, width)
        self.scale = scale

    def forward(self, x, edge_index, edge_weight):
        hidden = self.gnn(self.down(x), edge_index, edge_weight)
        return x + self.scale * self.up(hidden.relu())


def layer_of(args):
    if args.layer == "GANet":
        args.arguments = {"bottleneck": 4, "scale": 0.5} | args.arguments
        return GANet(args.width, **args.arguments)
    args.arguments = {"out_channels": 8} | args.arguments
    return GCNConv(args.width, **args.arguments)


def random_edges(targets, sources, share, square):
    """(edge_index, edge_weight): each pair with probability `share`, weights in (0, 1)."""
    chosen = torch.rand(targets, sources) < share
    if square:
        chosen.fill_diagonal_(False)
    target, source = chosen.nonzero(as_tuple=True)
    return torch.stack([source, target]), torch.rand(len(source)) * 0.9 + 0.1


def on_the_graph(layer, x, edge_index, edge_weight):
    x, edge_weight = x.clone().requires_grad_(), edge_weight.clone().requires_grad_()
    out = layer(x, edge_index, edge_weight)
    probe = torch.randn_like(out)
    loss = (out * probe).sum()
    loss.backward()
    gradients = {"x": x.grad, "edge_weight": edge_weight.grad}
    gradients |= {name: value.grad for name, value in layer.named_parameters()}
    return {"out": out, "probe": probe, "loss": loss} | {
        f"grad.{name}": value for name, value in gradients.items()}


def attached(layer, x, graph, x_query, to_queries):
    """Queries as further nodes: they only receive, so that nothing changes for the others."""
    shifted = to_queries[0] + torch.tensor([[0], [len(x)]])
    edges = torch.cat([graph[0], shifted], dim=1)
    weights = torch.cat([graph[1], to_queries[1]])
    return layer(torch.cat([x, x_query]), edges, weights)[len(x):]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--layer", choices=["GCNConv", "GANet"], default="GCNConv")
    parser.add_argument("--arguments", type=json.loads, default={}, help="of the layer, as JSON")
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--nodes", type=int, default=40)
    parser.add_argument("--queries", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    layer = layer_of(args)
    for value in layer.parameters():
        torch.nn.init.normal_(value, std=0.3)
    x, x_query = torch.randn(args.nodes, args.width), torch.randn(args.queries, args.width)
    graph = random_edges(args.nodes, args.nodes, 0.15, square=True)
    to_queries = random_edges(args.queries, args.nodes, 0.1, square=False)

    tensors = {"x": x, "x_query": x_query}
    tensors |= {f"param.{name}": value for name, value in layer.named_parameters()}
    for name, (index, weight) in {"canonical": graph, "attach": to_queries}.items():
        tensors |= {f"{name}.edge_index": index, f"{name}.edge_weight": weight}
    tensors |= {f"canonical.{name}": value
                for name, value in on_the_graph(layer, x, *graph).items()}
    tensors["attach.out"] = attached(layer, x, graph, x_query, to_queries)

    args.out.mkdir(parents=True, exist_ok=True)
    save_file({name: value.detach().contiguous() for name, value in tensors.items()},
              args.out / "expected.safetensors")
    meta = {"layer": args.layer, "arguments": args.arguments,
            "versions": {"torch": torch.__version__,
                         "torch_geometric": torch_geometric.__version__}}
    (args.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


if __name__ == "__main__":
    main()
