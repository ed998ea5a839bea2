// Where the values of features come from: images, texts and classes have a source each.
#pragma once

#include "train/feature_table.hpp"
#include "train/look.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/nn/mode.hpp>
#include <espalier/tensor/tensor.hpp>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier {

class FeatureSource {
 public:
  virtual ~FeatureSource() = default;

  [[nodiscard]] virtual std::int64_t width() const = 0;
  // Whether rows depend on parameters of the trial; then they carry gradients where a tape is kept.
  [[nodiscard]] virtual bool trained() const = 0;
  // Looks whose tape may be held at a time; of no meaning where nothing is trained.
  [[nodiscard]] virtual std::int64_t chunk() const = 0;
  // float32 [looks, width()] as the parameters make them now. Row i follows from looks[i], the
  // parameters and the mode alone.
  [[nodiscard]] virtual at::Tensor rows(std::span<const Look> looks, const Mode& mode) const = 0;
};

// Features of a frozen encoder: the rows of a table.
class FrozenSource final : public FeatureSource {
 public:
  // Row i is of looks[i], or of the plain view of samples[i].
  FrozenSource(FeatureTable table, std::span<const Look> looks);
  FrozenSource(FeatureTable table, std::span<const std::size_t> samples);
  FrozenSource(const at::Tensor& table, std::span<const std::size_t> samples)
      : FrozenSource(FeatureTable(table), samples) {}

  [[nodiscard]] std::int64_t width() const override { return table_.width(); }
  [[nodiscard]] bool trained() const override { return false; }
  [[nodiscard]] std::int64_t chunk() const override { return table_.size(); }
  // The same tensor where the same looks come again soon; nobody may change it.
  [[nodiscard]] at::Tensor rows(std::span<const Look> looks, const Mode& mode) const override;

 private:
  [[nodiscard]] at::Tensor taken(std::span<const Look> looks) const;

  FeatureTable table_;
  std::unordered_map<std::uint64_t, std::int64_t> row_of_;  // by look_id()
  // What was asked for last: scenes come again in every epoch.
  mutable std::vector<std::pair<std::vector<Look>, at::Tensor>> known_;
};

// Null where the trial has no use for one.
struct Sources {
  std::shared_ptr<const FeatureSource> images = {};
  std::shared_ptr<const FeatureSource> texts = {};
  std::shared_ptr<const FeatureSource> classes = {};  // looks are labels
  // Labels of the classes that are told apart: these many from first_class on.
  std::size_t class_count = 0;
  std::size_t first_class = 0;
};

[[nodiscard]] std::vector<Look> class_looks(const Sources& sources);

}  // namespace espalier
