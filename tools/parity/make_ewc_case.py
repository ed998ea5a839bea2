#!/usr/bin/env python3
"""Records what elastic weight consolidation is for a small perceptron, as a case for `espalier parity`.

    python tools/parity/make_ewc_case.py cases/ewc --samples 30 --lambda 5

OUT gets meta.json and expected.safetensors: a model Linear 0, ReLU, Linear 2 with parameters
anchor.*, its Fisher information by the labels that are given (fisher_empirical.*) and in expectation
over its own (fisher_expected.*), one sample at a time; for other parameters param.* the penalty
lambda/2 sum F_empirical (param - anchor)^2, its gradients grad_penalty.*, and grad_total.* with the
mean cross-entropy. Float32, one thread.
"""
import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--inputs", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=6)
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--lambda", dest="factor", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    model = torch.nn.Sequential(
        torch.nn.Linear(args.inputs, args.hidden), torch.nn.ReLU(), torch.nn.Linear(args.hidden, args.classes)
    )
    names, params = zip(*model.named_parameters())
    anchor = [p.detach().clone() for p in params]
    x = torch.randn(args.samples, args.inputs)
    y = torch.arange(args.samples) % args.classes
    empirical = [torch.zeros_like(p) for p in params]
    expected = [torch.zeros_like(p) for p in params]
    for row, label in zip(x, y):
        log_p = F.log_softmax(model(row), dim=-1)
        for c in range(args.classes):
            squares = [g**2 / len(x) for g in torch.autograd.grad(log_p[c], params, retain_graph=True)]
            for i, square in enumerate(squares):
                expected[i] += log_p[c].exp().detach() * square
                empirical[i] += (c == label) * square
    with torch.no_grad():
        for p in params:
            p.add_(0.2 * torch.randn_like(p))
    penalty = args.factor / 2 * sum((f * (p - a) ** 2).sum() for f, p, a in zip(empirical, params, anchor))
    loss = F.cross_entropy(model(x), y)
    of_penalty = torch.autograd.grad(penalty, params, retain_graph=True)
    of_total = torch.autograd.grad(loss + penalty, params)

    tensors = {"x": x, "y": y, "penalty": penalty.detach(), "cross_entropy": loss.detach()}
    for prefix, values in {
        "anchor": anchor,
        "param": [p.detach() for p in params],
        "fisher_empirical": empirical,
        "fisher_expected": expected,
        "grad_penalty": of_penalty,
        "grad_total": of_total,
    }.items():
        tensors |= {f"{prefix}.{name}": value.contiguous() for name, value in zip(names, values)}
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.out / "expected.safetensors")
    meta = {"lambda": args.factor, "samples": args.samples, "versions": {"torch": torch.__version__}}
    (args.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


if __name__ == "__main__":
    main()
