// The name of a cached step.
#pragma once

#include <string>

namespace espalier {

// Equal keys are computed once. Entries hold rows by sample, so that few-shot draws of one dataset
// share them; a key is the SHA-256 of the canonical JSON of what the rows depend on, each component
// as in the identity of a trial:
//   image_features  dataset, encoder with what its image tower depends on    where images are used
//   class_features  dataset, encoder with what its text tower depends on, head    for class texts;
//                   the method, where it says what these are
//   captions        dataset, captioner; seed if it is `seeded`                         for captions
//   image_activations, class_activations, text_activations   as the features, where a method trains
//                   inside the encoder: the key of a family, of which each cut has an entry
//   text_features   the captions' key, encoder as for class_features; of the protocol val_fraction,
//                   test_fraction and split_seed as far as they count if the encoder is `fitted`
struct StageRef {
  std::string name;    // one of these
  std::string key;     // hex SHA-256
  std::string inputs;  // of this text
};

}  // namespace espalier
