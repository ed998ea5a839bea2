// What enters a cut of a tower (nn/tower.hpp), for the samples of a batch.
#pragma once

#include "train/look.hpp"
#include <cstdint>
#include <espalier/nn/tower.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace espalier {

class ActivationSource {
 public:
  virtual ~ActivationSource() = default;
  // One row a look, of which there are some, in their order and without a tape. A row's bits follow
  // from its look alone.
  [[nodiscard]] virtual Activations at(std::span<const Look> looks) const = 0;
};

// Pictures as an image tower takes them, made anew for every batch.
class PixelSource final : public ActivationSource {
 public:
  // `pixels` gives [channels, height, width] of one look, the same size for all; it is called from
  // several threads at once.
  explicit PixelSource(std::function<at::Tensor(const Look&)> pixels)
      : pixels_(std::move(pixels)) {}
  [[nodiscard]] Activations at(std::span<const Look> looks) const override;

 private:
  std::function<at::Tensor(const Look&)> pixels_;
};

// Texts as a text tower takes them: rows of ids, all as long as the longest text there is.
class IdSource final : public ActivationSource {
 public:
  // The lists of ids of views 0, 1, ... of each sample. Throws Error on a text without tokens.
  IdSource(const TextTower& tower,
           std::map<std::size_t, std::vector<std::vector<std::int64_t>>> ids);
  [[nodiscard]] Activations at(std::span<const Look> looks) const override;

 private:
  [[nodiscard]] const std::vector<std::int64_t>& ids_of(const Look& look) const;

  std::map<std::size_t, std::vector<std::vector<std::int64_t>>> ids_;
  std::int64_t padding_;
  std::int64_t length_ = 0;
  bool masked_;
};

// The frozen layers of a tower below a cut, run anew for every batch.
class ComputedActivations final : public ActivationSource {
 public:
  // What enters `to`, from what `below` says enters `from`. Looks are computed `batch` at a time, a
  // sample always at the same place of its batch and every batch filled up, because products round
  // by their size and by place. The tower must outlive this.
  ComputedActivations(const Tower& tower, std::shared_ptr<const ActivationSource> below,
                      std::int64_t from, std::int64_t to, std::int64_t batch)
      : tower_(tower), below_(std::move(below)), from_(from), to_(to), batch_(batch) {}
  [[nodiscard]] Activations at(std::span<const Look> looks) const override;

 private:
  [[nodiscard]] Activations advanced(std::span<const Look> batch) const;

  const Tower& tower_;
  std::shared_ptr<const ActivationSource> below_;
  std::int64_t from_;
  std::int64_t to_;
  std::int64_t batch_;
};

}  // namespace espalier
