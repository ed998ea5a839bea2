// Elastic weight consolidation over all that a trial knew before.
#pragma once

#include "train/penalty.hpp"
#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace espalier {

// Where the parameters stood when a source task was known, and how much each mattered to it.
struct Anchor {
  std::string source;  // zero_shot, or task_1, task_2, ...
  std::vector<Parameters::Entry> parameters;
  std::vector<Parameters::Entry> fisher;
};

// The sum of ElasticPenalty over source tasks, each with its own anchor, as Kirkpatrick et al. 2017
// have it.
class Consolidation final : public Penalty {
 public:
  explicit Consolidation(double lambda) : lambda_(lambda) {}

  // Throws Error where the anchor's two parts do not fit together.
  void add(Anchor anchor);
  [[nodiscard]] const std::vector<Anchor>& anchors() const noexcept { return anchors_; }

  [[nodiscard]] at::Tensor operator()(const Parameters& parameters) const override;

  // `<folder>/ewc.safetensors`: `<source>.anchor.<name>` and `<source>.fisher.<name>`, lambda and
  // `facts` in the metadata. Nothing without anchors.
  void save(const std::filesystem::path& folder, std::map<std::string, std::string> facts) const;

 private:
  double lambda_;
  std::vector<Anchor> anchors_;
  std::vector<ElasticPenalty> penalties_;
};

}  // namespace espalier
