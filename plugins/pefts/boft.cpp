// BOFT (Liu et al. 2024): the inputs of a map are rotated by a product of butterfly factors, each
// block diagonal behind a permutation, and its outputs are scaled.
//   W' = diag(s) W R^T, R = F_m ... F_1, F_i = P_i blockdiag(C_i) P_i^T, C = (I - S) (I + S)^-1,
//   S = (B - B^T) / 2 of a trained block B
#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/dropout.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/orthogonal.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::LinearMap;
using espalier::Mode;
using espalier::Site;

struct BoftParams : espalier::TargetParams {
  BoftParams() { target_modules = {"q", "v"}; }
  std::int64_t boft_block_size = 4;
  std::int64_t boft_block_num = 0;
  std::int64_t boft_n_butterfly_factor = 1;
  double boft_dropout = 0;
  std::string bias = "none";
};

void bind(espalier::Schema<BoftParams>& s) {
  bind_targets(s);
  s.field("boft_block_size", &BoftParams::boft_block_size)
      .sizes()
      .range(0, 65536)
      .doc("Width of a block, with boft_block_num 0")
      .source("Hugging Face PEFT");
  s.field("boft_block_num", &BoftParams::boft_block_num)
      .range(0, 65536)
      .doc("Number of blocks, with boft_block_size 0")
      .source("Hugging Face PEFT");
  s.field("boft_n_butterfly_factor", &BoftParams::boft_n_butterfly_factor)
      .range(1, 16)
      .doc("Factors of the rotation; 1 is OFT's")
      .source("Hugging Face PEFT");
  s.field("boft_dropout", &BoftParams::boft_dropout)
      .min(0)
      .below(1)
      .doc("Share of the blocks of one factor that a step of training does not rotate");
  bind_bias(s, "boft_only");
  s.check("(boft_block_size == 0) != (boft_block_num == 0)",
          "one of boft_block_size and boft_block_num is 0: the other counts");
  compared_by_peft(s);
}

struct Butterfly {
  std::int64_t width = 0;
  std::int64_t block = 0;
  std::int64_t factors = 1;
  [[nodiscard]] std::int64_t blocks() const { return width / block; }
};

// In each stretch of `2^i` blocks the half blocks of even places come before those of odd ones.
at::Tensor order_of(const Butterfly& shape, std::int64_t i) {
  std::vector<std::int64_t> order;
  const std::int64_t half = shape.block / 2;
  const std::int64_t stretch = shape.factors == 1 ? shape.width : shape.block << i;
  const std::int64_t step = shape.factors == 1 ? 1 : 2;
  for (std::int64_t begin = 0; begin < shape.width; begin += stretch) {
    for (std::int64_t odd = 0; odd < step; ++odd) {
      for (std::int64_t place = odd * half; place < stretch; place += step * half) {
        for (std::int64_t k = 0; k < half; ++k) order.push_back(begin + place + k);
      }
    }
  }
  return at::tensor(order, at::kLong);
}

class Butterflies final : public espalier::MapChange,
                          public std::enable_shared_from_this<Butterflies> {
 public:
  // `blocks` [factors, blocks, k, k], `scale` [out, 1].
  Butterflies(const Site& site, const Butterfly& shape, at::Tensor blocks, at::Tensor scale,
              double dropout)
      : site_(site.name),
        bias_(site.bias),
        shape_(shape),
        blocks_(std::move(blocks)),
        scale_(std::move(scale)),
        dropout_(dropout) {
    for (std::int64_t i = 0; i < shape.factors && shape.factors > 1; ++i) {
      orders_.push_back(order_of(shape, i).to(blocks_.device()));
    }
  }

  void hook(Site& site) override {
    const auto self = shared_from_this();
    site.hook_input([self](const at::Tensor& x, const Mode& mode) {
      return at::linear(x, self->rotation(mode).to(x.scalar_type()));
    });
    site.hook_output(
        [self](const at::Tensor&, const at::Tensor& y, const Mode&) { return self->scaled(y); });
  }

  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    return {at::matmul(frozen.weight, rotation({})) * scale_, frozen.bias};
  }

 private:
  // Rows are rotated as x R, so that the map of x is R^T.
  [[nodiscard]] at::Tensor rotation(const Mode& mode) const {
    at::Tensor product;
    for (std::int64_t i = 0; i < shape_.factors; ++i) {
      at::Tensor factor = espalier::block_diagonal(rotated(i, mode), shape_.blocks());
      if (!orders_.empty()) {
        const at::Tensor& order = orders_[static_cast<std::size_t>(i)];
        factor = factor.index_select(0, order).index_select(1, order);
      }
      product = product.defined() ? at::matmul(factor, product) : factor;
    }
    return product.t();
  }

  // The blocks of a factor; a step of training leaves some of one factor as they are.
  [[nodiscard]] at::Tensor rotated(std::int64_t i, const Mode& mode) const {
    const at::Tensor block = blocks_[i];
    const at::Tensor squares = espalier::cayley((block - block.transpose(1, 2)) * 0.5);
    if (!mode.training || dropout_ == 0) return squares;
    espalier::Random random = espalier::step_random(mode, site_);
    if (random.below(static_cast<std::uint64_t>(shape_.factors)) != static_cast<std::uint64_t>(i)) {
      return squares;
    }
    const at::Tensor kept =
        espalier::kept_blocks(shape_.blocks(), dropout_, random).to(squares.device());
    return squares * kept + at::eye(shape_.block, squares.options()) * (1 - kept);
  }

  [[nodiscard]] at::Tensor scaled(const at::Tensor& y) const {
    if (!bias_.defined()) return (y.to(at::kFloat) * scale_.flatten()).to(y.scalar_type());
    const at::Tensor map = (y - bias_).to(at::kFloat);
    return (map * scale_.flatten() + bias_).to(y.scalar_type());
  }

  std::string site_;
  at::Tensor bias_;
  Butterfly shape_;
  at::Tensor blocks_;
  at::Tensor scale_;
  double dropout_;
  std::vector<at::Tensor> orders_;
};

class Boft final : public espalier::LinearMethod {
 public:
  using Params = BoftParams;
  Boft(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("BOFT");
    config["boft_block_size"] = params_.boft_block_size;
    config["boft_block_num"] = params_.boft_block_num;
    config["boft_n_butterfly_factor"] = params_.boft_n_butterfly_factor;
    config["boft_dropout"] = params_.boft_dropout;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    const Butterfly shape = shape_of(site);
    const at::Tensor blocks = parameters.add(
        site.name + ".boft_R",
        at::zeros({shape.factors, shape.blocks(), shape.block, shape.block}, at::kFloat));
    const at::Tensor scale =
        parameters.add(site.name + ".boft_s", at::ones({outputs_of(site), 1}, at::kFloat));
    return std::make_shared<Butterflies>(site, shape, blocks, scale, params_.boft_dropout);
  }

  [[nodiscard]] Butterfly shape_of(const Site& site) const {
    const std::int64_t width = inputs_of(site);
    const bool by_size = params_.boft_block_size != 0;
    const std::int64_t given = by_size ? params_.boft_block_size : params_.boft_block_num;
    espalier::require_divisor(by_size ? "boft_block_size" : "boft_block_num", given, width, site);
    const Butterfly shape{.width = width,
                          .block = by_size ? given : width / given,
                          .factors = params_.boft_n_butterfly_factor};
    const std::int64_t widest = std::int64_t{1} << (shape.factors - 1);
    if (shape.factors == 1 || (shape.block % 2 == 0 && shape.blocks() % widest == 0)) return shape;
    throw espalier::Error(
        {.what = "peft.boft_n_butterfly_factor does not fit the blocks of a map",
         .where = site.name,
         .expected =
             "blocks of an even width, a multiple of " + std::to_string(widest) + " in number",
         .found = std::to_string(shape.blocks()) + " blocks of " + std::to_string(shape.block),
         .fix = "boft_n_butterfly_factor=1"});
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "boft", 1, Boft,
                   "Rotates the inputs of linear maps by butterfly factors (Liu 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
