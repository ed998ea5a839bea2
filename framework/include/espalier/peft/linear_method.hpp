// Methods whose every effect is on one linear map at a time: a low rank beside it, a rotation in
// front of it, a factor behind it.
//
//   class Mine final : public espalier::LinearMethod {
//    public:
//     using Params = MineParams;  // derives from TargetParams
//     Mine(const Params& params, const espalier::RunContext&) : LinearMethod(params), ... {}
//    private:
//     std::shared_ptr<MapChange> change(Site& site, Parameters&, Random&) override;
//   };
#pragma once

#include <espalier/peft/targets.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// A linear map, weight [out, in] and bias [out], which may be undefined.
struct LinearMap {
  at::Tensor weight;
  at::Tensor bias;
};

// What a method does to one linear map.
class MapChange {
 public:
  virtual ~MapChange();
  // Puts it at the site.
  virtual void hook(Site& site) = 0;
  // The map, in float32, that gives alone what `frozen` gives with this outside training.
  [[nodiscard]] virtual LinearMap folded(const LinearMap& frozen) const = 0;
};

// One that acts on what the map gives.
class OutputChange : public MapChange, public std::enable_shared_from_this<OutputChange> {
 public:
  void hook(Site& site) final;
  // From x [..., in] and y = x W^T + b [..., out], in the model's type.
  [[nodiscard]] virtual at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                          const Mode& mode) const = 0;
};

// One that acts on what enters the map.
class InputChange : public MapChange, public std::enable_shared_from_this<InputChange> {
 public:
  void hook(Site& site) final;
  [[nodiscard]] virtual at::Tensor input(const at::Tensor& x, const Mode& mode) const = 0;
};

// W + delta, with delta [out, in] in float32 as the parameters make it now.
class AddedWeight : public OutputChange {
 public:
  [[nodiscard]] virtual at::Tensor delta() const = 0;
  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override;
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override;
};

// x R^T, with R [in, in] in float32 as the parameters make it now, so that the map becomes W R.
class RotatedInput : public InputChange {
 public:
  [[nodiscard]] virtual at::Tensor rotation() const = 0;
  [[nodiscard]] at::Tensor input(const at::Tensor& x, const Mode& mode) const override;
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override;
};

class LinearMethod : public Peft {
 public:
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) final;
  // Throws Error, and changes nothing, where a folded map is not finite.
  void merge(AdaptableEncoder& encoder) final;

 protected:
  explicit LinearMethod(TargetParams targets) : targets_(std::move(targets)) {}

  // Before the first change(), with all maps that will be changed.
  virtual void begin(const AdaptableEncoder& encoder, std::span<Site* const> sites,
                     Parameters& parameters, Random& random);
  // Adds parameters with names that begin with the site's.
  [[nodiscard]] virtual std::shared_ptr<MapChange> change(Site& site, Parameters& parameters,
                                                          Random& random) = 0;
  // The keys that every adapter_config.json has, once attached.
  [[nodiscard]] Json config_of(std::string_view peft_type) const;

 private:
  TargetParams targets_;
  std::vector<std::pair<Site*, std::shared_ptr<MapChange>>> changes_;
};

// Puts maps in the place of those of their sites, whose shape and type they take on, and takes the
// sites' hooks off; weights that are trained whole stay as they are now. Throws Error, and changes
// nothing, where a map is not finite.
void put_maps(AdaptableEncoder& encoder, const std::vector<std::pair<Site*, LinearMap>>& maps);

// The weight as a matrix [out, in] in float32; of a patch embedding the last three dimensions are
// one.
[[nodiscard]] at::Tensor matrix_of(const Site& site);

}  // namespace espalier
