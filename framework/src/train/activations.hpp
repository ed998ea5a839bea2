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
  using Taken = std::function<Activations()>;

  virtual ~ActivationSource() = default;
  // One row a look, of which there are some, in their order and without a tape. A row's bits follow
  // from its look alone. They are asked for now and taken later, once: what can be loaded meanwhile
  // is. The source must outlive the taking.
  [[nodiscard]] virtual Taken begin(std::vector<Look> looks) const = 0;
  [[nodiscard]] Activations at(std::span<const Look> looks) const {
    return begin({looks.begin(), looks.end()})();
  }
};

// Pictures as an image tower takes them, made anew for every batch.
class PixelSource final : public ActivationSource {
 public:
  // `pixels` gives [channels, height, width] of one look, the same size for all; it is called from
  // `threads` threads at once.
  PixelSource(std::function<at::Tensor(const Look&)> pixels, std::int64_t threads)
      : pixels_(std::move(pixels)), threads_(threads) {}
  [[nodiscard]] Taken begin(std::vector<Look> looks) const override;

 private:
  std::function<at::Tensor(const Look&)> pixels_;
  std::int64_t threads_;
};

// Texts as a text tower takes them: rows of ids, all as long as the longest text there is.
class IdSource final : public ActivationSource {
 public:
  // The lists of ids of views 0, 1, ... of each sample. Throws Error on a text without tokens. The
  // tower must outlive this.
  IdSource(const TextTower& tower,
           std::map<std::size_t, std::vector<std::vector<std::int64_t>>> ids);
  [[nodiscard]] Taken begin(std::vector<Look> looks) const override;

 private:
  [[nodiscard]] Activations rows(std::span<const Look> looks) const;
  [[nodiscard]] const std::vector<std::int64_t>& ids_of(const Look& look) const;

  std::map<std::size_t, std::vector<std::vector<std::int64_t>>> ids_;
  const TextTower& tower_;
  std::int64_t length_ = 0;
};

// The frozen layers of a tower below a cut, run anew for every batch.
class ComputedActivations final : public ActivationSource {
 public:
  // What enters `to`, from what `below` says enters `from`. As with features (nn/tower.hpp) each
  // look has products of its own on the CPU, and on a GPU batches of one size, the last filled up,
  // because products round by their size. The tower must outlive this.
  ComputedActivations(const Tower& tower, std::shared_ptr<const ActivationSource> below,
                      std::int64_t from, std::int64_t to)
      : tower_(tower), below_(std::move(below)), from_(from), to_(to) {}
  [[nodiscard]] Taken begin(std::vector<Look> looks) const override;

 private:
  [[nodiscard]] Activations advanced(const Activations& entering) const;

  const Tower& tower_;
  std::shared_ptr<const ActivationSource> below_;
  std::int64_t from_;
  std::int64_t to_;
};

// The rows of several batches, one below the other.
[[nodiscard]] Activations joined(const std::vector<Activations>& parts);
// The same change of each tensor that is defined.
[[nodiscard]] Activations each_of(const Activations& rows,
                                  const std::function<at::Tensor(const at::Tensor&)>& change);

}  // namespace espalier
