#include <ATen/TensorOperators.h>
#include <ATen/ops/relu.h>

#include "toy_models_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

constexpr std::int64_t depth = 2;
constexpr std::int64_t hidden = 32;
constexpr std::int64_t out_width = 16;

Site linear_site(const std::string& name, const char* part, std::int64_t layer, std::int64_t out,
                 std::int64_t in, Random& random) {
  Site site;
  site.name = name;
  site.part = part;
  site.layer = layer;
  site.weight = normal_tensor({out, in}, random) * 0.3;
  site.bias = normal_tensor({out}, random) * 0.2;
  return site;
}

struct PerceptronLayer {
  Site fc1, fc2;
};

// A picture is a row of means of its lines; fc2(relu(fc1(h))) in every layer; a projection.
class Perceptron final : public VisionTower {
 public:
  Perceptron() : VisionTower(depth, out_width, toy_side, toy_side) {
    Random random(std::uint64_t{32});
    for (std::int64_t i = 0; i < depth; ++i) {
      const std::string name = "layers." + std::to_string(i) + ".";
      layers_.push_back({linear_site(name + "fc1", "fc1", i, hidden, toy_width, random),
                         linear_site(name + "fc2", "fc2", i, toy_width, hidden, random)});
    }
    projection_ = linear_site("projection", "projection", depth, out_width, toy_width, random);
  }

  [[nodiscard]] std::int64_t width() const override { return toy_width; }
  [[nodiscard]] at::Device device() const override { return at::kCPU; }
  [[nodiscard]] at::ScalarType dtype() const override { return at::kFloat; }

  [[nodiscard]] Activations embed(const at::Tensor& pixels, const Mode&) const override {
    return {pixels.mean(at::IntArrayRef{1, 2}).unsqueeze(1), {}, {}};
  }
  [[nodiscard]] std::vector<WeightSlot> slots() {
    std::vector<WeightSlot> all;
    std::vector<Site*> sites;
    collect_below(sites);
    for (Site* site : sites) {
      for (const auto& [end, slot] :
           {std::pair{".weight", &site->weight}, std::pair{".bias", &site->bias}}) {
        all.push_back({site->name + end, slot, *slot, WeightPlace{TowerKind::image, site->layer}});
      }
    }
    return all;
  }

 private:
  [[nodiscard]] at::Tensor run_layers(const Activations& input, std::int64_t from, std::int64_t to,
                                      const Mode& mode, const at::Tensor&) const override {
    at::Tensor h = input.states;
    for (std::int64_t i = from; i < to; ++i) {
      const PerceptronLayer& layer = layers_[static_cast<std::size_t>(i)];
      h = apply_linear(layer.fc2, at::relu(apply_linear(layer.fc1, h, mode)), mode);
    }
    return h;
  }
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    const at::Tensor pooled = output.states.select(1, 0);
    const at::Tensor feature = apply_linear(projection_, pooled, mode);
    return {output.states, pooled, feature, feature};
  }
  void collect_below(std::vector<Site*>& sites) override {
    for (PerceptronLayer& layer : layers_) {
      sites.push_back(&layer.fc1);
      sites.push_back(&layer.fc2);
    }
    sites.push_back(&projection_);
  }

  std::vector<PerceptronLayer> layers_;
  Site projection_;
};

}  // namespace

std::unique_ptr<AdaptableEncoder> toy_perceptron() {
  const auto tower = std::make_shared<Perceptron>();
  AdaptableEncoder whole(tower, nullptr);
  whole.adopt(tower->slots());
  return whole.part({.images = true});
}

}  // namespace espalier::conformance
