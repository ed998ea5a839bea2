// The name of a cached step.
#pragma once

#include <string>

namespace espalier {

// Equal keys are computed once. Entries hold rows by sample, so that few-shot draws of one dataset
// share them; a key is the SHA-256 of the canonical JSON of what the rows depend on, each component
// as in the identity of a trial:
//   image_features  dataset, encoder                                 unless nodes.fuse is text
//   class_features  dataset, encoder, head                           where head.use is zero_shot
//   captions        dataset, captioner; seed if it is `seeded`       unless nodes.fuse is image
//   text_features   the captions' key, encoder; val_fraction, test_fraction and split_seed of the
//                   protocol if the encoder is `fitted`              unless nodes.fuse is image
struct StageRef {
  std::string name;    // one of these
  std::string key;     // hex SHA-256
  std::string inputs;  // of this text
};

}  // namespace espalier
