#!/usr/bin/env python3
"""Records a short training of a method that Hugging Face PEFT lacks, as a case for `espalier parity`.

    python tools/parity/tiny_model.py clip /tmp/clip
    python tools/parity/make_training_case.py bitfit /tmp/clip /tmp/case && espalier parity /tmp/case

Plain torch on a CLIPModel in eval mode, float32, one thread, eager attention: full-batch
torch.optim.AdamW with eps 1e-4, by which rounding is not amplified. The case holds the parameters
that it starts from, the losses, and the parameters that it ends with.
"""
import argparse
import json
import math
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from make_case import pixel_values
from make_peft_case import load_base, outputs

PROMPTS = 3  # of vpt-deep
CONTEXT = 4  # words of coop


def bitfit(model, generator):
    """Every bias."""
    return {name: p for name, p in model.named_parameters() if name.endswith("bias")}


def full(model, generator):
    """Every weight of the towers."""
    return {name: p for name, p in model.named_parameters() if name != "logit_scale"}


def vpt_deep(model, generator):
    """Tokens behind the class token, in the place of the last layer's from the second layer on."""
    tower = model.vision_model
    layers = list(tower.encoder.layers)
    width, side = tower.config.hidden_size, tower.config.patch_size
    bound = math.sqrt(6 / (3 * side * side + width))
    shape = (len(layers), PROMPTS, width)
    prompts = ((2 * torch.rand(shape, generator=generator) - 1) * bound).requires_grad_()

    def with_prompts(depth):
        def hook(module, args):
            x = args[0]
            own = prompts[depth].expand(x.shape[0], -1, -1)
            behind = x[:, 1:] if depth == 0 else x[:, 1 + PROMPTS:]
            return (torch.cat([x[:, :1], own, behind], dim=1), *args[1:])
        return hook

    for depth, layer in enumerate(layers):
        layer.register_forward_pre_hook(with_prompts(depth))
    return {"prompts": prompts}


def coop(model, generator):
    """Words in the place of the placeholders behind the start token."""
    embedding = model.text_model.embeddings.token_embedding
    context = 0.02 * torch.randn(CONTEXT, embedding.embedding_dim, generator=generator)
    context.requires_grad_()

    def hook(module, args, embedded):
        own = context.expand(embedded.shape[0], -1, -1)
        return torch.cat([embedded[:, :1], own, embedded[:, 1 + CONTEXT:]], dim=1)

    embedding.register_forward_hook(hook)
    return {"context": context}


# With rates at which the loss of a tiny model moves.
METHODS = {"bitfit": (bitfit, 0.01), "full": (full, 1e-3), "vpt-deep": (vpt_deep, 0.5),
           "coop": (coop, 0.1)}


def class_tokens(config, count, generator):
    """[start] and CONTEXT placeholders, one to three words, [end] up to the longest text."""
    config = getattr(config, "text_config", config)
    end = config.eos_token_id
    start, placeholder = end - 1, 1
    ids = torch.full((count, CONTEXT + 6), end)
    for row in range(count):
        words = torch.randint(2, start, (1 + row % 3,), generator=generator).tolist()
        tokens = [start] + [placeholder] * CONTEXT + words
        ids[row, : len(tokens)] = torch.tensor(tokens)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def train(model, parameters, inputs, labels, steps, lr):
    optimiser = torch.optim.AdamW(parameters.values(), lr=lr, weight_decay=0, eps=1e-4)
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(outputs(model, inputs)["logits"], labels)
        losses.append(loss.detach())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return torch.stack(losses)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=list(METHODS))
    parser.add_argument("model", type=Path, metavar="MODEL", help="the folder of a CLIPModel")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the case, made anew")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--lr", type=float, help="by default one that suits the method")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.images = None

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(args.seed + 2)
    model = load_base(args.model).requires_grad_(False)
    inputs = {"pixel_values": pixel_values(model.config, args)}
    inputs |= class_tokens(model.config, args.count, generator)
    labels = torch.randperm(args.count, generator=generator)
    attach, usual_rate = METHODS[args.method]
    lr = args.lr or usual_rate
    parameters = attach(model, generator)
    for parameter in parameters.values():
        parameter.requires_grad_()

    def copied():
        return {name: p.detach().clone().contiguous() for name, p in parameters.items()}

    args.out.mkdir(parents=True)
    save_file(copied(), args.out / "parameters.safetensors")
    expected = {"losses": train(model, parameters, inputs, labels, args.steps, lr)}
    expected |= {f"final.{name}": value for name, value in copied().items()}
    expected |= {f"input.{name}": value for name, value in (inputs | {"labels": labels}).items()}
    save_file(expected, args.out / "expected.safetensors")
    shutil.copytree(args.model, args.out / "base")
    meta = {"base": "base", "made_by": "tools/parity/make_training_case.py", "method": args.method,
            "settings": {"prompts": PROMPTS, "context": CONTEXT}, "steps": args.steps,
            "lr": lr, "optimiser": {"betas": [0.9, 0.999], "eps": 1e-4},
            "torch": torch.__version__}
    (args.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    print(f"{args.out}: {args.steps} steps of {args.method}, loss "
          f"{expected['losses'][0]:.4f} to {expected['losses'][-1]:.4f}")


if __name__ == "__main__":
    main()
