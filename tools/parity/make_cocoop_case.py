#!/usr/bin/env python3
"""Records what CoCoOp (Zhou et al. 2022) computes, as a case for `espalier parity`.

    python tools/parity/make_cocoop_case.py tests/data/peft/base tests/data/peft/cocoop

Plain torch on a CLIPModel, float32, one thread, eager attention: one picture after the other and one class after
the other, each with a text of its own, and one tape over all of it. MODEL must lie beside OUT. OUT gets
parameters.safetensors, moved off their start, and expected.safetensors: on.logits, the loss on random labels and
its gradients.
"""
import argparse
import json
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import save_file
from torch.nn import functional as F

from make_case import pixel_values
from make_training_case import CONTEXT, class_tokens
from make_peft_case import load_base

REDUCTION = 16


def draw(width, text_width, generator):
    def normal(*shape, scale):
        return (scale * torch.randn(*shape, generator=generator)).requires_grad_()

    hidden = max(1, width // REDUCTION)
    return {"context": normal(CONTEXT, text_width, scale=0.2),
            "meta_net.linear1.weight": normal(hidden, width, scale=1),
            "meta_net.linear1.bias": normal(hidden, scale=0.5),
            "meta_net.linear2.weight": normal(text_width, hidden, scale=0.2),
            "meta_net.linear2.bias": normal(text_width, scale=0.1)}


def class_vector(model, words, ids):
    """Of one text, with these words behind its start token."""
    def put(module, args, embedded):
        return torch.cat([embedded[:, :1], words[None], embedded[:, 1 + CONTEXT:]], dim=1)

    hook = model.text_model.embeddings.token_embedding.register_forward_hook(put)
    pooled = model.text_model(input_ids=ids[None]).pooler_output
    hook.remove()
    return F.normalize(model.text_projection(pooled)[0], dim=0)


def logits_of(model, p, pixels, ids):
    rows = []
    for picture in pixels:
        feature = model.visual_projection(model.vision_model(picture[None]).pooler_output)[0]
        x = F.normalize(feature, dim=0)
        hidden = F.relu(p["meta_net.linear1.weight"] @ x + p["meta_net.linear1.bias"])
        shift = p["meta_net.linear2.weight"] @ hidden + p["meta_net.linear2.bias"]
        words = p["context"] + shift
        rows.append(torch.stack([x @ class_vector(model, words, text) for text in ids]))
    return model.logit_scale.exp() * torch.stack(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL", help="the folder of a CLIPModel")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the case, made anew")
    parser.add_argument("--count", type=int, default=3, help="pictures, and classes")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.images = None

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(args.seed + 3)
    model = load_base(args.model).requires_grad_(False)
    pixels = pixel_values(model.config, args)
    ids = class_tokens(model.config, args.count, generator)["input_ids"]
    labels = torch.randperm(args.count, generator=generator)
    parameters = draw(model.config.projection_dim, model.config.text_config.hidden_size, generator)
    logits = logits_of(model, parameters, pixels, ids)
    loss = F.cross_entropy(logits, labels)
    loss.backward()

    args.out.mkdir(parents=True)
    save_file({k: v.detach() for k, v in parameters.items()}, args.out / "parameters.safetensors")
    expected = {"on.logits": logits.detach(), "loss": loss.detach()}
    expected |= {f"grad.{k}": v.grad for k, v in parameters.items()}
    expected |= {"input.pixel_values": pixels, "input.input_ids": ids, "input.labels": labels}
    save_file(expected, args.out / "expected.safetensors")
    meta = {"base": args.model.name, "made_by": "tools/parity/make_cocoop_case.py", "method": "cocoop",
            "settings": {"context": CONTEXT, "reduction": REDUCTION},
            "versions": {"torch": torch.__version__, "transformers": hf.__version__}}
    (args.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    print(f"{args.out}: loss {loss.item():.4f}, logits\n{logits.detach()}")
    print({k: v.grad.norm().item() for k, v in parameters.items()})


if __name__ == "__main__":
    main()
