#!/usr/bin/env python3
"""Records what Hugging Face PEFT computes with an adapter, as a case for `espalier parity`.

    python tools/parity/make_peft_case.py ~/models/my-clip my-adapter /tmp/case
    python tools/parity/make_peft_case.py /tmp/clip OUT --set r=4 use_dora=true   # a random one
    python tools/parity/make_peft_case.py /tmp/clip my-adapter OUT --steps 20      # its training

OUT gets the adapter, `base` (the model's folder), expected.safetensors and meta.json; float32, one
thread, eager attention, no dropout. Without --steps: outputs with the adapter, without, and merged,
merged weights, a loss and its gradients. With them: losses and final tensors of full-batch
torch.optim.AdamW with eps 1e-4, by which rounding is not amplified. Then: `espalier parity OUT`.
"""
import argparse
import copy
import json
import shutil
from pathlib import Path

import peft
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from make_case import IMAGE_ONLY, TEXT_ONLY, pixel_values, tokens

PREFIX = "base_model.model."


def features(model, inputs):
    """What Espalier calls features: of CLIP the projected vectors, of ViT the class token's state,
    of BERT the mean over the real tokens, of length 1 where its modules.json says so."""
    kind = model.config.model_type
    if kind in IMAGE_ONLY:
        out = model(pixel_values=inputs["pixel_values"])
        return {"image_features": getattr(out, "image_embeds", out.last_hidden_state[:, 0])}
    text = {k: v for k, v in inputs.items() if k in ("input_ids", "attention_mask")}
    if kind in TEXT_ONLY:
        out = model(**text)
        if getattr(out, "text_embeds", None) is not None:
            return {"text_features": out.text_embeds}
        mask = text["attention_mask"][..., None].float()
        mean = (out.last_hidden_state * mask).sum(1) / mask.sum(1)
        return {"text_features": F.normalize(mean, dim=-1) if model.has_unit_sentences else mean}
    vision = model.vision_model(inputs["pixel_values"]).pooler_output
    words = model.text_model(**text).pooler_output
    return {"image_features": model.visual_projection(vision),
            "text_features": model.text_projection(words)}


def outputs(model, inputs):
    """Features and logits: cosines where there are both towers, else products with a probe."""
    base = model.get_base_model() if isinstance(model, peft.PeftModel) else model
    found = features(base, inputs)
    if len(found) == 2:
        image, text = (F.normalize(found[k], dim=-1) for k in ("image_features", "text_features"))
        found["logits"] = base.logit_scale.exp() * image @ text.T
    else:
        found["logits"] = next(iter(found.values())) @ inputs["probe"].T
    return found


def named(prefix, tensors):
    return {f"{prefix}.{name}": tensor.detach() for name, tensor in tensors.items()}


def setting(text):
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def random_adapter(base, config, seed):
    """Of the config, every tensor away from its start."""
    torch.manual_seed(seed)
    model = peft.get_peft_model(copy.deepcopy(base), config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn_like(parameter)
    return model


def adapter_tensors(model, tensors):
    """By the keys of the adapter's file."""
    filler = {name: torch.full((1,), torch.nan) for name in model.state_dict()}
    found = peft.get_peft_model_state_dict(model, state_dict=filler | tensors)
    return {key: value for key, value in found.items() if not value.isnan().any()}


def record(model, inputs, labels):
    on = outputs(model, inputs)
    loss = F.cross_entropy(on["logits"], labels)
    loss.backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    with torch.no_grad(), model.disable_adapter():
        off = outputs(model, inputs)
    expected = named("on", on) | named("off", off) | {"loss": loss.detach()}
    expected |= named("grad", adapter_tensors(model, gradients))
    with torch.no_grad():
        merged = copy.deepcopy(model).merge_and_unload()
        return expected | named("merged", outputs(merged, inputs))


def train(model, inputs, labels, steps, lr):
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr,
                                  weight_decay=0, eps=1e-4)
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(outputs(model, inputs)["logits"], labels)
        losses.append(loss.detach())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return {"losses": torch.stack(losses)} | named("final", peft.get_peft_model_state_dict(model))


def load_base(folder):
    config = hf.AutoConfig.from_pretrained(folder)
    kind = getattr(hf, (config.architectures or ["AutoModel"])[0])
    model = kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    modules = folder / "modules.json"
    types = [m["type"] for m in json.loads(modules.read_text())] if modules.exists() else []
    model.has_unit_sentences = any(t.endswith(".Normalize") for t in types)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a Hugging Face model folder")
    parser.add_argument("adapter", type=Path, nargs="?", metavar="ADAPTER")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the case, made anew")
    parser.add_argument("--method", default="LORA", help="peft_type of a random adapter")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE",
                        help="its settings, where no ADAPTER is given")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.images, args.texts = None, ["a cat", "tiger lily", "two dogs play"]

    torch.set_num_threads(1)
    base = load_base(args.model)
    kind = base.config.model_type
    inputs = {}
    if kind not in TEXT_ONLY:
        inputs["pixel_values"] = pixel_values(base.config, args)
    if kind not in IMAGE_ONLY:
        inputs |= tokens(base.config, args)
    generator = torch.Generator().manual_seed(args.seed + 2)
    if kind in TEXT_ONLY | IMAGE_ONLY:
        width = next(iter(features(base, inputs).values())).shape[1]
        inputs["probe"] = torch.randn(args.count, width, generator=generator)
    labels = torch.randperm(args.count, generator=generator)

    args.out.mkdir(parents=True)
    if args.adapter:
        model = peft.PeftModel.from_pretrained(base, args.adapter, is_trainable=True).eval()
    else:
        config = peft.get_peft_config({"peft_type": args.method, **dict(map(setting, args.set))})
        model = random_adapter(base, config, args.seed).eval()
    model.save_pretrained(args.out)
    expected = (train(model, inputs, labels, args.steps, args.lr) if args.steps
                else record(model, inputs, labels))
    shutil.copytree(args.model, args.out / "base")
    expected |= named("input", inputs | {"labels": labels})
    save_file({k: v.clone().contiguous() for k, v in expected.items()},
              args.out / "expected.safetensors")
    meta = {"base": "base", "made_by": "tools/parity/make_peft_case.py", "peft": peft.__version__,
            "transformers": hf.__version__, "torch": torch.__version__}
    if args.steps:
        meta |= {"steps": args.steps, "lr": args.lr,
                 "optimiser": {"betas": [0.9, 0.999], "eps": 1e-4}}
    (args.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    print(f"{args.out}: {len(expected)} tensors of a {kind} model")


if __name__ == "__main__":
    main()
