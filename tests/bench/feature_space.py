"""The 48 trials of experiments/feature_space.yaml, by Espalier and in PyTorch Geometric beside it.

  python tests/bench/feature_space.py build/release/bin/espalier [--workers 2] [--only espalier|pyg]

Both draw features around a centre for each of 102 classes, join training samples by a threshold, train
GA-Net's adapter (a bottleneck of 64 around GCN layers) and a linear head for 60 epochs over the full
batch, look at training and validation accuracy after each, and classify the test samples once, with
edges from training samples alone. PyG runs in `--workers` processes of one thread each, as Espalier does.
Prints the seconds of both, of a second run of Espalier's, which finds nothing to do, and of the matrix
products in the work alone, which are the limit of either.
"""

import argparse
import concurrent.futures
import itertools
import pathlib
import subprocess
import tempfile
import time

CLASSES, SHOTS, VAL, TEST, WIDTH, BOTTLENECK, EPOCHS = 102, 16, 4, 8, 512, 64, 60
TAUS, LAYERS, SEEDS = [0.1, 0.12, 0.14, 0.16, 0.2, 0.3], [1, 2], [1, 2, 3, 4]
NOISE = 2.5


def features(torch, seed):
    """Unit rows and labels for training, validation and test."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.nn.functional.normalize(torch.randn(CLASSES, WIDTH, generator=generator))
    for count in (SHOTS, VAL, TEST):
        labels = torch.arange(CLASSES).repeat_interleave(count)
        noise = torch.randn(len(labels), WIDTH, generator=generator) * NOISE / WIDTH**0.5
        yield torch.nn.functional.normalize(centres[labels] + noise), labels


def edges(torch, train, queries, tau):
    """Among training nodes, and from them to queries that stand behind them."""
    own = (train @ train.T).fill_diagonal_(-2)
    target, source = (own >= tau).nonzero(as_tuple=True)
    to, of = ((queries @ train.T) >= tau).nonzero(as_tuple=True)
    index = torch.cat([torch.stack([source, target]), torch.stack([of, to + len(train)])], 1)
    weight = torch.cat([own[target, source], (queries[to] * train[of]).sum(1)])
    return index, weight


def trial(tau, layers, seed):
    import torch
    from torch_geometric.nn import GCNConv

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    (x, y), (x_val, y_val), (x_test, y_test) = features(torch, seed)

    class GaNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.down = torch.nn.Linear(WIDTH, BOTTLENECK)
            self.convolutions = torch.nn.ModuleList(
                GCNConv(BOTTLENECK, BOTTLENECK, cached=False) for _ in range(layers)
            )
            self.up = torch.nn.Linear(BOTTLENECK, WIDTH)
            torch.nn.init.zeros_(self.up.weight)
            torch.nn.init.zeros_(self.up.bias)
            self.head = torch.nn.Linear(WIDTH, CLASSES)

        def forward(self, x, index, weight):
            h = self.down(x)
            for i, convolution in enumerate(self.convolutions):
                h = convolution(h.relu() if i else h, index, weight)
            return self.head(x + self.up(h.relu()))

    model = GaNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    none = x.new_zeros(0, WIDTH)
    graph, with_val = edges(torch, x, none, tau), edges(torch, x, x_val, tau)
    both = torch.cat([x, x_val])
    best, kept = -1.0, None
    for _ in range(EPOCHS):
        model.train()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x, *graph), y).backward()
        optimizer.step()
        schedule.step()
        model.eval()
        with torch.no_grad():
            logits = model(both, *with_val)
            torch.nn.functional.cross_entropy(logits[: len(x)], y).item()
            torch.nn.functional.cross_entropy(logits[len(x) :], y_val).item()
            top1 = (logits[len(x) :].argmax(1) == y_val).float().mean().item()
        if top1 > best:
            best, kept = top1, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(kept)
    with torch.no_grad():
        logits = model(torch.cat([x, x_test]), *edges(torch, x, x_test, tau))[len(x) :]
    return tau, layers, (logits.argmax(1) == y_test).float().mean().item()


def run_pyg(workers):
    grid = list(itertools.product(TAUS, LAYERS, SEEDS))
    start = time.perf_counter()
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        results = list(pool.map(trial, *zip(*grid)))
    seconds = time.perf_counter() - start
    for tau, layers in itertools.product(TAUS, LAYERS):
        top1 = [result[2] for result in results if result[:2] == (tau, layers)]
        print(f"  pyg       tau {tau:<4} layers {layers}: {sum(top1) / len(top1):.4f}")
    return seconds


def run_espalier(program, workers, results):
    experiment = pathlib.Path(__file__).parents[2] / "experiments/feature_space.yaml"
    start = time.perf_counter()
    subprocess.run(
        [program, "run", experiment, "--results", results, "--workers", str(workers), "--threads", "1"],
        check=True, stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def limit(_):
    """Seconds of a trial's matrix products: those of an update, forward and backward."""
    import torch

    torch.set_num_threads(1)
    x, h = torch.randn(CLASSES * SHOTS, WIDTH), torch.randn(CLASSES * SHOTS, BOTTLENECK)
    z, down = torch.randn(CLASSES * SHOTS, CLASSES), torch.randn(WIDTH, BOTTLENECK)
    head = torch.randn(WIDTH, CLASSES)
    start = time.perf_counter()
    for _ in range(EPOCHS):
        x @ down, h @ down.T, x @ head, x.T @ h, x @ down, h.T @ x, z @ head.T, x.T @ z
    return time.perf_counter() - start


def run_limit(workers):
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        seconds = sum(pool.map(limit, range(2 * workers))) / (2 * workers)
    return seconds * len(TAUS) * len(LAYERS) * len(SEEDS) / workers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("espalier", help="the program")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=["espalier", "pyg", "limit"])
    given = parser.parse_args()
    seconds = {}
    if given.only in (None, "limit"):
        seconds["matrix products alone"] = run_limit(given.workers)
    if given.only in (None, "espalier"):
        with tempfile.TemporaryDirectory() as results:
            seconds["espalier"] = run_espalier(given.espalier, given.workers, results)
            seconds["espalier, nothing to do"] = run_espalier(given.espalier, given.workers, results)
    if given.only in (None, "pyg"):
        seconds["pyg"] = run_pyg(given.workers)
    for name, value in seconds.items():
        print(f"{name:26} {value:7.2f} s")
    if given.only is None:
        print(f"espalier / pyg             {seconds['espalier'] / seconds['pyg']:7.2f}")


if __name__ == "__main__":
    main()
