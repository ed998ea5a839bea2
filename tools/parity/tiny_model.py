#!/usr/bin/env python3
"""Writes a tiny model with random weights, to make a case from where none is at hand.

    python tools/parity/tiny_model.py mpnet /tmp/mpnet && python tools/parity/make_case.py /tmp/mpnet OUT
    python tools/parity/tiny_model.py clip /tmp/clip --size base   # CLIP ViT-B/16, for the benchmark

A model of pictures comes with its image processor, so `make_case.py --images` works on it.
"""
import argparse
from pathlib import Path

import torch
import transformers as hf

TINY = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
PICTURE = {"image_size": 32, "patch_size": 8}
# Of families that came later, smaller for the tests' sake.
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
WORDS = {"vocab_size": 120, "max_position_embeddings": 24}

SIDE = {"height": 32, "width": 32}
PROCESSORS = {"clip": lambda: hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SIDE),
              "siglip": lambda: hf.SiglipImageProcessor(size=SIDE),
              "vit": lambda: hf.ViTImageProcessor(size=SIDE),
              "dinov2": lambda: hf.BitImageProcessor(size={"shortest_edge": 36}, crop_size=SIDE)}
PROCESSORS["clip-vision"] = PROCESSORS["clip"]


def clip(size):
    if size == "base":
        return hf.CLIPConfig(vision_config={"patch_size": 16}, text_config={})
    return hf.CLIPConfig(projection_dim=24, vision_config={**TINY, **PICTURE},
                         text_config={**TINY, "vocab_size": 500, "eos_token_id": 499})


MODELS = {
    "clip": lambda size: hf.CLIPModel(clip(size)),
    "clip-text": lambda _: hf.CLIPTextModelWithProjection(
        hf.CLIPTextConfig(**SMALL, **WORDS, eos_token_id=119, projection_dim=24)),
    "clip-vision": lambda _: hf.CLIPVisionModelWithProjection(
        hf.CLIPVisionConfig(**SMALL, **PICTURE, projection_dim=24)),
    "siglip": lambda _: hf.SiglipModel(hf.SiglipConfig(
        vision_config={**TINY, **PICTURE}, text_config={**TINY, "vocab_size": 500})),
    "vit": lambda _: hf.ViTModel(hf.ViTConfig(**TINY, **PICTURE)),
    "dinov2": lambda _: hf.Dinov2Model(hf.Dinov2Config(**TINY, **PICTURE)),
    "bert": lambda _: hf.BertModel(
        hf.BertConfig(**TINY, vocab_size=500, max_position_embeddings=64)),
    "bert-decoder": lambda _: hf.BertModel(hf.BertConfig(**SMALL, **WORDS, is_decoder=True)),
    "distilbert": lambda _: hf.DistilBertModel(hf.DistilBertConfig(
        dim=32, hidden_dim=64, n_layers=2, n_heads=4, **WORDS)),
    "mpnet": lambda _: hf.MPNetModel(
        hf.MPNetConfig(**TINY, vocab_size=500, max_position_embeddings=66)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=list(MODELS))
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--size", choices=["tiny", "base"], default="tiny",
                        help="base: CLIP ViT-B/16's sizes (clip only)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    generator = torch.Generator().manual_seed(args.seed)
    model = MODELS[args.family](args.size)
    for name, parameter in sorted(model.named_parameters()):
        scale = 0.5 / parameter[0].numel() ** 0.5 if parameter.dim() > 1 else 0.1
        noise = scale * torch.randn(parameter.shape, generator=generator)
        is_norm = parameter.dim() == 1 and name.endswith("weight")
        parameter.data.copy_(noise + (1.0 if is_norm else 0.0))
    model.save_pretrained(args.out)
    if args.family in PROCESSORS and args.size == "tiny":
        PROCESSORS[args.family]().save_pretrained(args.out)
    print(f"{args.out}: {sum(p.numel() for p in model.parameters())} parameters")


if __name__ == "__main__":
    main()
