#!/usr/bin/env python3
"""Records what GA-Net's adapter inside an image tower computes, as a case for `espalier parity`.

    python tools/parity/make_ga_net_case.py tests/data/peft/base tests/data/peft/ga_net
    python tools/parity/make_ga_net_case.py tests/data/peft/base tests/data/peft/ga_net-gatv2 --layer gatv2

Plain torch on a CLIPModel and a layer of PyTorch Geometric, float32, one thread, eager attention: the
training pictures go through the frozen tower once, one after the other, and what enters the chosen
branches is pooled. Then each picture of the pass has a graph of its own, the training pictures with
their edges and itself with the edges that it gets, and one tape over all of it. MODEL must lie beside
OUT. OUT gets parameters.safetensors, moved off their start, and expected.safetensors: logits with the
adapter and without, the loss on random labels and its gradients.
"""
import argparse
import json
from pathlib import Path

import torch
import torch_geometric
import torch_geometric.nn as pyg
import transformers as hf
from safetensors.torch import save_file
from torch.nn import functional as F

from make_case import pixel_values
from make_peft_case import load_base
from make_training_case import class_tokens

WIDTH = 6  # of the bottleneck
NODES = 5
SCALE = 0.7
LAYERS = [1, 3]
PARTS = ["attention", "mlp"]
# The component's parameters, and the layers of PyTorch Geometric that it has, relu between them.
NETWORKS = {
    "gcn": ({"use": "gcn", "layers": 2}, "mean",
            lambda: [pyg.GCNConv(WIDTH, WIDTH), pyg.GCNConv(WIDTH, WIDTH)]),
    "gatv2": ({"use": "gatv2", "layers": 1, "heads": 2}, "cls",
              lambda: [pyg.GATv2Conv(WIDTH, WIDTH // 2, heads=2)]),
}


class Adapter(torch.nn.Module):
    """W_up relu(GNN(W_down x)) of the last node."""

    def __init__(self, width, layers, weighted):
        super().__init__()
        self.down = torch.nn.Linear(width, WIDTH)
        self.layers = torch.nn.ModuleList(layers)
        self.up = torch.nn.Linear(WIDTH, width)
        self.weighted = weighted

    def forward(self, x, edge_index, edge_weight):
        h = self.down(x)
        for depth, layer in enumerate(self.layers):
            h = layer(h.relu() if depth > 0 else h, edge_index,
                      **({"edge_weight": edge_weight} if self.weighted else {}))
        return SCALE * self.up(h.relu())[-1]


def branches(model):
    """Name, what normalises the stream that enters it, and the module that is it."""
    for number in LAYERS:
        layer = model.vision_model.encoder.layers[number]
        name = f"vision_model.encoder.layers.{number}"
        yield f"{name}.attention_graph_adapter", layer.layer_norm1, layer.self_attn
        yield f"{name}.mlp_graph_adapter", layer.layer_norm2, layer.mlp


def pool_of(name, stream):
    return stream[:, 0] if name == "cls" else stream.mean(1)


def hook(norm, branch, change):
    """change(stream, result) in the place of the branch's result."""
    entering = []

    def changed(module, args, result):
        if isinstance(result, tuple):
            return (change(entering.pop(), result[0]), *result[1:])
        return change(entering.pop(), result)
    return [norm.register_forward_pre_hook(lambda module, args: entering.append(args[0])),
            branch.register_forward_hook(changed)]


def pooled_nodes(model, pictures, pool):
    seen = {name: [] for name, _, _ in branches(model)}

    def note(name):
        def change(stream, result):
            seen[name].append(pool_of(pool, stream))
            return result
        return change

    hooks = [h for name, norm, branch in branches(model) for h in hook(norm, branch, note(name))]
    with torch.no_grad():
        for picture in pictures:
            model.vision_model(picture[None])
    for h in hooks:
        h.remove()
    return {name: torch.cat(rows) for name, rows in seen.items()}


def graph(generator):
    """Edges among the nodes, and of each picture of the pass: (source, target, weight)."""
    def weights(count):
        return 0.1 + 0.9 * torch.rand(count, generator=generator)

    chosen = torch.rand(NODES, NODES, generator=generator) < 0.4
    chosen.fill_diagonal_(False)
    target, source = chosen.nonzero().t()
    own = torch.stack([source, target]), weights(len(source))
    samples = torch.tensor([2, 0, NODES, NODES + 1])
    rows, row_weights = [], []
    for row, sample in enumerate(samples.tolist()):
        if sample < NODES:
            mine = own[0][1] == sample
            sources, w = own[0][0][mine], own[1][mine]
        else:
            sources = (torch.rand(NODES, generator=generator) < 0.6).nonzero()[:, 0]
            w = weights(len(sources))
        rows.append(torch.stack([sources, torch.full_like(sources, row)]))
        row_weights.append(w)
    return samples, own, (torch.cat(rows, 1), torch.cat(row_weights))


def attach(model, adapters, nodes, own, rows, pool):
    def change_of(name):
        def change(stream, result):
            pooled = pool_of(pool, stream)
            added = []
            for i, mine in enumerate(pooled):
                of_row = rows[0][1] == i
                sources = rows[0][0][of_row]
                edges = torch.stack([sources, torch.full_like(sources, NODES)])
                added.append(adapters[name](torch.cat([nodes[name], mine[None]]),
                                            torch.cat([own[0], edges], 1),
                                            torch.cat([own[1], rows[1][of_row]])))
            return result + torch.stack(added)[:, None]
        return change

    for name, norm, branch in branches(model):
        hook(norm, branch, change_of(name))


def outputs(model, pixels, ids):
    out = model(input_ids=ids, pixel_values=pixels)
    raw = model.visual_projection(model.vision_model(pixels).pooler_output)
    return {"logits": out.logits_per_image, "image_features": raw}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL", help="the folder of a CLIPModel")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the case, made anew")
    parser.add_argument("--layer", choices=list(NETWORKS), default="gcn")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    args.images, args.count = None, NODES + 4

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed + 3)
    model = load_base(args.model).requires_grad_(False)
    component, pool, make_layers = NETWORKS[args.layer]
    pictures = pixel_values(model.config, args)
    node_pixels, pixels = pictures[:NODES], pictures[NODES:].clone()
    pixels[0] = node_pixels[2]  # a training picture as it is; the second is a view of another
    ids = class_tokens(model.config.text_config, len(pixels), generator)["input_ids"]
    labels = torch.randperm(4, generator=generator)
    samples, own, rows = graph(generator)

    off = outputs(model, pixels, ids)
    nodes = pooled_nodes(model, node_pixels, pool)
    width = model.config.vision_config.hidden_size
    adapters = {name: Adapter(width, make_layers(), args.layer == "gcn") for name, _, _ in branches(model)}
    for adapter in adapters.values():
        for parameter in adapter.parameters():
            with torch.no_grad():
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    attach(model, adapters, nodes, own, rows, pool)
    on = outputs(model, pixels, ids)
    loss = F.cross_entropy(on["logits"], labels)
    loss.backward()

    parameters = {f"{name}.{key.replace('layers.', 'layer.layers.', 1)}": p
                  for name, adapter in adapters.items() for key, p in adapter.named_parameters()}
    args.out.mkdir(parents=True)
    save_file({k: v.detach() for k, v in parameters.items()}, args.out / "parameters.safetensors")
    expected = {f"on.{k}": v.detach() for k, v in on.items()}
    expected |= {f"off.{k}": v for k, v in off.items()} | {"loss": loss.detach()}
    expected |= {f"grad.{k}": v.grad for k, v in parameters.items()}
    expected |= {"input.pixel_values": pixels, "input.input_ids": ids, "input.labels": labels,
                 "input.samples": samples, "input.node_pixel_values": node_pixels.clone(),
                 "input.edge_index": own[0], "input.edge_weight": own[1],
                 "input.row_edge_index": rows[0], "input.row_edge_weight": rows[1]}
    save_file({k: v.contiguous() for k, v in expected.items()}, args.out / "expected.safetensors")
    settings = {"layer": component, "bottleneck": WIDTH, "scale": SCALE, "pool": pool,
                "layers_to_transform": LAYERS, "target_modules": PARTS}
    meta = {"base": args.model.name, "made_by": "tools/parity/make_ga_net_case.py", "method": "ga_net",
            "settings": settings,
            "versions": {"torch": torch.__version__, "transformers": hf.__version__,
                         "torch_geometric": torch_geometric.__version__}}
    (args.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    moved = (on["logits"] - off["logits"]).abs().max().item()
    print(f"{args.out}: loss {loss.item():.4f}, logits moved by up to {moved:.3f}, "
          f"{samples.tolist()} of {NODES} nodes, {len(own[1])} edges and {len(rows[1])}")


if __name__ == "__main__":
    main()
