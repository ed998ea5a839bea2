// A training in the middle, on disk.
#pragma once

#include "train/fit.hpp"
#include <filesystem>
#include <spdlog/fwd.h>
#include <string>

namespace espalier {

// `<folder>/checkpoint.safetensors`: parameters, the optimiser's moments, the best parameters so
// far, and as metadata the progress. Everything is stored bit for bit, so a training that goes on
// from it ends with the same bits as one that was never interrupted.
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
