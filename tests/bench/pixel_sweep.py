#!/usr/bin/env python3
"""48 trials from pixels, by Espalier and by a Python loop that runs the model in every trial.

    python tests/bench/pixel_sweep.py build/release/bin/espalier [--workers 2] [--only espalier|peft]

Four methods of Hugging Face PEFT (LoRA, DoRA, LoHa, LoKr), three ranks, four seeds, on q and v of the top three of
twelve layers of a CLIP image tower with random weights (`--width` 192, 197 tokens), with a linear head: 5 epochs over 32
pictures in batches of 16, a look at training and validation accuracy (16 pictures) before them and after each, and a
test on 32. Python has its pictures as tensors in memory and runs the whole tower under PEFT, in `--workers` processes
of one thread each, as Espalier does, and on the same `--device`; Espalier draws its own and begins with an empty cache.
Prints the seconds of both.
"""
import argparse
import concurrent.futures
import itertools
import json
import multiprocessing
import pathlib
import subprocess
import tempfile
import time

CLASSES, TRAIN, VAL, TEST, BATCH, EPOCHS = 8, 32, 16, 32, 16, 5
METHODS, RANKS, SEEDS = ["lora", "dora", "loha", "lokr"], [2, 4, 8], [1, 2, 3, 4]
TOP, TARGETS = [9, 10, 11], ["q_proj", "v_proj"]


def save_tower(folder, width):
    import torch
    import transformers as hf

    torch.manual_seed(0)
    config = hf.CLIPVisionConfig(hidden_size=width, intermediate_size=4 * width, num_hidden_layers=12,
                                 num_attention_heads=width // 64, patch_size=16, projection_dim=128)
    hf.CLIPVisionModelWithProjection(config).save_pretrained(folder)
    size = {"height": 224, "width": 224}
    (folder / "preprocessor_config.json").write_text(json.dumps(
        {"image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": 224},
         "do_center_crop": True, "crop_size": size, "do_rescale": True, "do_normalize": True,
         "do_convert_rgb": True, "resample": 3, "rescale_factor": 1 / 255,
         "image_mean": [0.5] * 3, "image_std": [0.5] * 3}))


def espalier_section(method, rank):
    name = "lora" if method == "dora" else method
    section = {"use": name, "r": rank, "target_modules": TARGETS, "layers_to_transform": TOP}
    return {**section, "use_dora": True} if method == "dora" else section


def peft_config(method, rank):
    import peft

    where = {"target_modules": TARGETS, "layers_to_transform": TOP, "layers_pattern": "layers"}
    if method in ("lora", "dora"):
        return peft.LoraConfig(r=rank, lora_alpha=rank, use_dora=method == "dora", **where)
    return {"loha": peft.LoHaConfig, "lokr": peft.LoKrConfig}[method](r=rank, alpha=rank, **where)


def trial(folder, device, method, rank, seed):
    import peft
    import torch
    import transformers as hf

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    tower = hf.CLIPVisionModelWithProjection.from_pretrained(folder).eval()
    model = peft.get_peft_model(tower, peft_config(method, rank)).to(device)
    head = torch.nn.Linear(128, CLASSES, device=device)
    pixels = torch.randn(TRAIN + VAL + TEST, 3, 224, 224).to(device)
    labels = torch.arange(TRAIN + VAL + TEST, device=device) % CLASSES
    trained = [p for p in model.parameters() if p.requires_grad] + list(head.parameters())
    optimizer = torch.optim.AdamW(trained, lr=1e-3)

    def logits(rows):
        return head(model(pixel_values=pixels[rows]).image_embeds)

    def accuracy(first, last):
        with torch.no_grad():
            parts = [logits(slice(i, min(i + BATCH, last))) for i in range(first, last, BATCH)]
        return (torch.cat(parts).argmax(1) == labels[first:last]).float().mean().item()

    for epoch in range(EPOCHS + 1):
        for batch in torch.randperm(TRAIN).split(BATCH) if epoch else []:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits(batch), labels[batch]).backward()
            optimizer.step()
        accuracy(0, TRAIN)
        accuracy(TRAIN, TRAIN + VAL)
    return accuracy(TRAIN + VAL, TRAIN + VAL + TEST)


def run_peft(folder, device, workers, ranks, seeds):
    grid = list(itertools.product(METHODS, ranks, seeds))
    start = time.perf_counter()
    spawn = multiprocessing.get_context("spawn")  # a GPU outlives no fork
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        list(pool.map(trial, [folder] * len(grid), [device] * len(grid), *zip(*grid)))
    return time.perf_counter() - start


def experiment(folder, ranks, seeds):
    return {"name": "pixel_sweep", "base": {
        "dataset": {"use": "flora", "classes": CLASSES, "per_class": 16},
        "protocol": {"shots": TRAIN // CLASSES, "val_shots": VAL // CLASSES, "graph": "none",
                     "test_fraction": TEST / CLASSES / 16},
        "captioner": {"use": "none"},
        "encoder": {"use": "clip", "weights": str(folder), "precision": "float32"},
        "nodes": {"fuse": "image"}, "graph": {"use": "none"}, "gnn": {"use": "mlp", "layers": 0},
        "head": {"use": "linear"}, "train": {"epochs": EPOCHS, "batch_size": BATCH, "lr": 1e-3}},
        "sweep": [{"grid": {"peft": [espalier_section(m, r) for m in METHODS for r in ranks],
                            "seed": seeds}}]}


def run_espalier(program, folder, device, workers, ranks, seeds):
    file = folder.parent / "pixel_sweep.yaml"
    file.write_text(json.dumps(experiment(folder, ranks, seeds)))
    start = time.perf_counter()
    subprocess.run([program, "run", file, "--results", folder.parent / "results", "--workers", str(workers),
                    "--threads", "1", "--device", device], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda, of both")
    parser.add_argument("--width", type=int, default=192, help="of the tower, a multiple of 64")
    parser.add_argument("--ranks", type=int, nargs="+", default=RANKS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--only", choices=["espalier", "peft"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "tower"
        folder.mkdir()
        save_tower(folder, args.width)
        how = args.device, args.workers, args.ranks, args.seeds
        seconds = {}
        if args.only != "peft":
            seconds["espalier"] = run_espalier(args.program, folder, *how)
        if args.only != "espalier":
            seconds["peft"] = run_peft(folder, *how)
    for name, value in seconds.items():
        print(f"{name:9} {value:7.1f} s")
    if len(seconds) == 2:
        print(f"times as fast {seconds['peft'] / seconds['espalier']:.2f}")


if __name__ == "__main__":
    main()
