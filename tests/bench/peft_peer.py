#!/usr/bin/env python3
"""Methods in CLIP ViT-B/16 beside Hugging Face PEFT's, by turns on one machine.

    python tests/bench/peft_peer.py build/release/bin/peft_bench [--rounds 3] [--threads 1]

Both compute what peft_bench.cpp says, with random weights, 16 pictures a batch, float32; PEFT from pixels in every
update, as its users do, with the attention that Transformers chooses. The least processor time of all rounds counts,
divided by the threads, since other work on the machine only ever adds to it. Prints pictures a second, and how many times
as fast Espalier is; `merged` by `plain` says what a folded LoRA costs at inference.
"""
import argparse
import sys
import time

import peft
import torch
import transformers as hf

from bench_program import least_seconds

BATCH = 16


def tower():
    torch.manual_seed(0)
    return hf.CLIPVisionModelWithProjection(hf.CLIPVisionConfig(patch_size=16))


def lora(layers=None):
    return peft.get_peft_model(tower().eval(), peft.LoraConfig(
        r=8, lora_alpha=8, target_modules=["q_proj", "v_proj"], layers_to_transform=layers,
        layers_pattern="layers" if layers else None))


MODELS = {"lora_all": lora, "lora_top3": lambda: lora([9, 10, 11]), "full": lambda: tower().eval(),
          "plain": lambda: tower().eval(), "merged": lambda: lora().merge_and_unload()}


def updating(model, pixels):
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)

    def update():
        model(pixel_values=pixels).image_embeds.square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return update


def looking(model, pixels):
    def look():
        with torch.no_grad():
            model(pixel_values=pixels)
    return look


def peer_seconds(name, repeats):
    pixels = torch.randn(BATCH, 3, 224, 224)
    work = (looking if name in ("plain", "merged") else updating)(MODELS[name](), pixels)
    work()
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3, help="in each round")
    parser.add_argument("--only", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--threads", type=int, nargs="+", default=[1], choices=[1, 2])
    args = parser.parse_args()
    print(f"torch {torch.__version__}, transformers {hf.__version__}, peft {peft.__version__}")
    print(f"{'':10} {'threads':>7} {'Espalier img/s':>15} {'PEFT img/s':>11} {'ratio':>6}")
    for threads in args.threads:
        torch.set_num_threads(threads)
        times = {}
        for name in args.only:
            own = peer = float("inf")
            for _ in range(args.rounds):
                seconds = least_seconds(args.program, name, threads, "cpu_time", args.repeats,
                                        "--benchmark_min_time=0")
                own = min(own, seconds / threads)
                peer = min(peer, peer_seconds(name, args.repeats) / threads)
            times[name] = own
            print(f"{name:10} {threads:7} {BATCH / own:15.2f} {BATCH / peer:11.2f} {peer / own:6.2f}")
            sys.stdout.flush()
        if {"merged", "plain"} <= times.keys():
            print(f"merged / plain of Espalier's times: {times['merged'] / times['plain']:.3f}")


if __name__ == "__main__":
    main()
