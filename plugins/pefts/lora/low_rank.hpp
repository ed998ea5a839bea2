// What LoRA and its kin do to one linear map.
#pragma once

#include <espalier/peft/linear_method.hpp>
#include <utility>

namespace espalier {

// y + s (B A drop(x) + b).
class LowRank : public OutputChange {
 public:
  // `b_bias` [out] may be undefined.
  LowRank(InputDropout dropout, Factors factors, at::Tensor b_bias, double scale)
      : dropout_(std::move(dropout)),
        factors_(std::move(factors)),
        b_bias_(std::move(b_bias)),
        scale_(scale) {}

  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override;
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override;

 protected:
  [[nodiscard]] at::Tensor dropped(const at::Tensor& x, const Mode& mode) const {
    return dropout_(x, mode);
  }
  [[nodiscard]] bool drops(const Mode& mode) const { return mode.training && dropout_.p > 0; }
  // s (B A x + b), in float32.
  [[nodiscard]] at::Tensor low(const at::Tensor& x) const;
  // s B A
  [[nodiscard]] at::Tensor delta() const;
  [[nodiscard]] double scale() const noexcept { return scale_; }

 private:
  InputDropout dropout_;
  Factors factors_;
  at::Tensor b_bias_;
  double scale_;
};

// Less a product that stays as it was at the start, of matrices.
class LowRankDifference final : public LowRank {
 public:
  LowRankDifference(LowRank trained, Factors start)
      : LowRank(std::move(trained)), start_(std::move(start)) {}

  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override;
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override;

 private:
  Factors start_;
};

// g (W x + s B A x) + b with g = m / |W + s B A| for each row, whose norm is constant in the
// backward pass: Liu et al. 2024, section 4.3.
class Dora final : public LowRank {
 public:
  // `weight` is the frozen matrix in float32, `bias` the map's, which may be undefined.
  Dora(LowRank trained, at::Tensor magnitude, at::Tensor weight, at::Tensor bias)
      : LowRank(std::move(trained)),
        magnitude_(std::move(magnitude)),
        weight_(std::move(weight)),
        bias_(std::move(bias)) {}

  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override;
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override;

 private:
  [[nodiscard]] at::Tensor gains(const at::Tensor& weight) const;

  at::Tensor magnitude_;
  at::Tensor weight_;
  at::Tensor bias_;
};

}  // namespace espalier
