#!/usr/bin/env python3
"""Captions of BLIP's base shape with random weights, Espalier beside Transformers, by turns on one machine.

    python tests/bench/blip_peer.py build/release/bin/blip_bench [--rounds 2] [--threads 1 2]

Eight pictures of 384 pixels, greedy, 20 tokens each after the first. The least time of all rounds counts, since
other work on the machine only ever adds to it. Prints images a second, the ratio, what both BLAS
make of the same product, and the most memory that Espalier had beside the weights.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import torch
from transformers import BlipConfig, BlipForConditionalGeneration

PICTURES, TOKENS = 8, 20


def make(folder):
    torch.manual_seed(0)
    config = BlipConfig(image_text_hidden_size=256,
                        vision_config={"image_size": 384, "patch_size": 16, "initializer_range": 0.02,
                                       "hidden_size": 768,
                                       "intermediate_size": 3072, "num_hidden_layers": 12,
                                       "num_attention_heads": 12},
                        text_config={"vocab_size": 30524, "hidden_size": 768, "encoder_hidden_size": 768,
                                     "intermediate_size": 3072, "num_hidden_layers": 12,
                                     "num_attention_heads": 12, "max_position_embeddings": 512})
    model = BlipForConditionalGeneration(config).eval()
    model.save_pretrained(folder)
    return model


def peer_seconds(model, pixels, repeats):
    best = float("inf")
    ids = torch.full((PICTURES, 1), model.config.text_config.bos_token_id)
    for _ in range(repeats):
        start = time.perf_counter()
        with torch.inference_mode():
            seen = model.vision_model(pixel_values=pixels)[0]
            out = model.text_decoder.generate(
                input_ids=ids, encoder_hidden_states=seen,
                eos_token_id=model.config.text_config.sep_token_id,
                pad_token_id=model.config.text_config.pad_token_id, do_sample=False,
                max_new_tokens=TOKENS, min_new_tokens=TOKENS)
        best = min(best, time.perf_counter() - start)
        assert out.shape == (PICTURES, 1 + TOKENS), out.shape
    return best


def peer_gflops(repeats=5):
    a, b = torch.randn(577 * PICTURES, 768), torch.randn(768, 3072)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2e-9 * 577 * PICTURES * 768 * 3072 / best


def own_rows(program, folder, name, threads):
    out = subprocess.run([program, f"--benchmark_filter=^{name}/{threads}/", "--benchmark_format=json"],
                         capture_output=True, text=True, check=True,
                         env={**os.environ, "ESPALIER_BENCH_BLIP": folder}).stdout
    return json.loads(out)["benchmarks"]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = make(folder)
        weights = os.path.getsize(os.path.join(folder, "model.safetensors")) / 2**20
        pixels = torch.randn(PICTURES, 3, 384, 384)
        for threads in args.threads:
            torch.set_num_threads(threads)
            own = peer = float("inf")
            memory = 0
            for _ in range(args.rounds):
                rows = own_rows(args.program, folder, "captions", threads)
                own = min([own] + [row["real_time"] / 1e3 for row in rows])
                memory = max([memory] + [row["peak_megabytes"] for row in rows])
                peer = min(peer, peer_seconds(model, pixels, 1))
            gflops = max(row["gflops"] for row in own_rows(args.program, folder, "product", threads))
            print(f"{threads} threads: Espalier {PICTURES / own:.3f} images a second ({gflops:.0f} GFLOP/s), "
                  f"Transformers {PICTURES / peer:.3f} ({peer_gflops():.0f}), ratio {peer / own:.2f}; "
                  f"{memory - weights:.0f} MB beside the weights")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
