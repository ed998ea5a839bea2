// A training in the middle, on disk.
#pragma once

#include "train/training.hpp"
#include <filesystem>
#include <spdlog/fwd.h>
#include <string>
#include <string_view>

namespace espalier {

// What a checkpoint says beside its tensors.
struct CheckpointState {
  std::int64_t steps = 0;  // of the optimiser
  Progress progress;
  bool graph = false;  // whether it was made anew, and that of the best epoch
  bool best_graph = false;
};

// Throws Error, naming `origin`, where the text is none, or of another trial.
[[nodiscard]] CheckpointState parse_checkpoint_state(std::string_view text,
                                                     const std::string& origin,
                                                     const std::string& trial_id);

// `<folder>/checkpoint.safetensors`: parameters, the optimiser's moments, the best parameters so
// far, as metadata the progress, and a SHA-256 over all of it. Everything is stored bit for bit, so
// a training that goes on from it ends with the same bits as one that was never interrupted.
class Checkpoint {
 public:
  Checkpoint(const std::filesystem::path& folder, std::string trial_id, spdlog::logger& log);

  // Replaces the file once the new one is on disk.
  void save(const Training& training, const Parameters& parameters) const;
  // False where there is none. One that is damaged or of another trial is logged and removed.
  bool load(Training& training, Parameters& parameters) const;
  void remove() const;

 private:
  std::filesystem::path file_;
  std::string trial_id_;
  spdlog::logger& log_;
};

}  // namespace espalier
