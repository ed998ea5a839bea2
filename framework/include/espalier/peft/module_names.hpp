// Names of modules, which differ between a model's checkpoints, versions of Transformers and the
// class that an adapter was trained on. Here a module has the name that checkpoints have.
#pragma once

#include <espalier/nn/adaptable.hpp>
#include <espalier/peft/adapter.hpp>
#include <string>

namespace espalier {

// An adapter from elsewhere with the names of this encoder, in its tensors and in its lists of
// modules. A module is found under its own name, without the attribute of a task model that holds
// it (`vit.`), or with the tower's that a halved model leaves out (`vision_model.`), and under
// Transformers 5's names of ViT and DINOv2. What is not found keeps its name; what belongs to a
// tower that is not there is left out, since a trial may look at one tower of two.
[[nodiscard]] Adapter with_names_here(Adapter adapter, const AdaptableEncoder& encoder);
// An adapter of this encoder with the names that Transformers 5 has.
[[nodiscard]] Adapter with_names_there(Adapter adapter, const AdaptableEncoder& encoder);

}  // namespace espalier
