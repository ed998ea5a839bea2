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

#include <cstdint>
#include <espalier/peft/targets.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <span>
#include <string>
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

// How much of what enters a map is dropped in training before a change sees it, and where.
struct InputDropout {
  std::string site;
  double p = 0;
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const Mode& mode) const;
};

// W + delta, with delta [out, in] in float32 as the parameters make it now.
class AddedWeight : public OutputChange {
 public:
  explicit AddedWeight(InputDropout dropout = {}) : dropout_(std::move(dropout)) {}
  [[nodiscard]] virtual at::Tensor delta() const = 0;
  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override;
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override;

 private:
  InputDropout dropout_;
};

// Two matrices whose product is small in rank: B [out, r] and A [r, in].
struct Factors {
  at::Tensor a;
  at::Tensor b;
};

// W + B A, in float32 as the parameters make them now.
class AddedProduct : public OutputChange {
 public:
  explicit AddedProduct(InputDropout dropout = {}) : dropout_(std::move(dropout)) {}
  [[nodiscard]] virtual Factors factors() const = 0;
  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override;
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override;

 private:
  InputDropout dropout_;
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
  // `bias`: which of the encoder's biases are trained as well. `none`; `all` of the chosen towers
  // and layers; anything else those of the chosen maps. Empty: none, and the method has no such
  // key.
  explicit LinearMethod(TargetParams targets, std::string bias = {})
      : targets_(std::move(targets)), bias_(std::move(bias)) {}

  // Before the first change(), with all maps that will be changed.
  virtual void begin(const AdaptableEncoder& encoder, std::span<Site* const> sites,
                     Parameters& parameters, Random& random);
  // Adds parameters with names that begin with the site's.
  [[nodiscard]] virtual std::shared_ptr<MapChange> change(Site& site, Parameters& parameters,
                                                          Random& random) = 0;
  // The keys that every adapter_config.json has, once attached, and `bias` where the method has it.
  [[nodiscard]] Json config_of(std::string_view peft_type) const;

 private:
  void train_biases(const AdaptableEncoder& encoder, std::span<Site* const> sites,
                    Parameters& parameters) const;

  TargetParams targets_;
  std::string bias_;
  std::vector<std::pair<Site*, std::shared_ptr<MapChange>>> changes_;
};

// Puts maps in the place of those of their sites, whose shape and type they take on, and takes the
// sites' hooks off; weights that are trained whole stay as they are now. Throws Error, and changes
// nothing, where a map is not finite.
void put_maps(AdaptableEncoder& encoder, const std::vector<std::pair<Site*, LinearMap>>& maps);

// The weight as a matrix [out, in] in float32; of a patch embedding the last three dimensions are
// one.
[[nodiscard]] at::Tensor matrix_of(const Site& site);
// Its sizes.
[[nodiscard]] std::int64_t inputs_of(const Site& site);
[[nodiscard]] std::int64_t outputs_of(const Site& site);

// What fits every one of some maps: the most inputs and the most outputs.
struct MapSizes {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
};
[[nodiscard]] MapSizes largest_of(std::span<Site* const> sites);

// Throws Error unless the value of `peft.KEY` is at least 1 and no more than the map has inputs and
// outputs.
void require_rank(std::string_view key, std::int64_t rank, const Site& site);
// Throws Error unless the value of `peft.KEY` divides a width of the map.
void require_divisor(std::string_view key, std::int64_t size, std::int64_t width, const Site& site);
// Throws Error unless the map's weight has at least 1 and as many entries as the value of
// `peft.KEY`.
void require_places(std::string_view key, std::int64_t count, const Site& site);
// The value of a pattern for a map, which require_rank() lets pass.
[[nodiscard]] std::int64_t rank_of(const ModulePattern& ranks, std::string_view key,
                                   const Site& site);

template <class Params>
void bind_bias(Schema<Params>& s, const char* of_targets) {
  s.template field<std::string>("bias", &Params::bias)
      .choices({"none", of_targets, "all"})
      .doc("Biases of the encoder that are trained as well: those of the chosen maps, or all");
}

}  // namespace espalier
