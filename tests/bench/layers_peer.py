#!/usr/bin/env python3
"""Graph layers of Espalier beside PyTorch Geometric's, by turns on one machine.

    python tests/bench/layers_peer.py build/release/bin/layers_bench [--rounds 3]

Both compute what layers_bench.cpp says; the least time of all rounds counts, since other work on the
machine only ever adds to it. Prints milliseconds and ratios.
"""
import argparse
import sys
import time

import torch
import torch_geometric.nn as pyg

from bench_program import least_seconds

NODES, EDGES, WIDTH = 100_000, 1_000_000, 128
LAYERS = {"gcn": lambda: pyg.GCNConv(WIDTH, WIDTH),
          "gat": lambda: pyg.GATConv(WIDTH, WIDTH // 4, heads=4),
          "sage": lambda: pyg.SAGEConv(WIDTH, WIDTH)}


def peer_seconds(name, repeats):
    torch.manual_seed(0)
    target = torch.randint(NODES, (EDGES,))
    edge_index = torch.stack([(target + 1 + torch.randint(NODES - 1, (EDGES,))) % NODES, target])
    layer, x = LAYERS[name](), torch.randn(NODES, WIDTH, requires_grad=True)
    best = float("inf")
    for _ in range(repeats):
        x.grad = None
        layer.zero_grad()
        start = time.perf_counter()
        layer(x, edge_index).sum().backward()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{'layer':6} {'threads':>7} {'Espalier ms':>12} {'PyG ms':>8} {'ratio':>6}")
    for name in LAYERS:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            own = peer = float("inf")
            for _ in range(args.rounds):
                own = min(own, least_seconds(args.program, name, threads, "real_time", 4))
                peer = min(peer, peer_seconds(name, 2))
            print(f"{name:6} {threads:7} {own * 1e3:12.0f} {peer * 1e3:8.0f} {peer / own:6.2f}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
