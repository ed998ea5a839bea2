#include "train/head.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/nn/unit_rows.hpp>

namespace espalier {
namespace {

class NoHead final : public Head {
 public:
  void init(std::int64_t, std::int64_t, Parameters&, Random&) override {}
  at::Tensor operator()(const at::Tensor& states, const Values&) const override { return states; }
};

[[noreturn]] void refuse_width(const std::string& what, std::int64_t expected, std::int64_t found) {
  throw Error({.what = what + " compares node states with class vectors of their width",
               .where = {},
               .expected = std::to_string(expected) + " columns, as the encoder's texts have",
               .found = std::to_string(found),
               .fix = "nodes.fuse: image, text, mean or bimodal, and a network that keeps the "
                      "width, such as ga_net"});
}

// Class vectors of length 1 for head.init: prompts; undefined for a start at random.
at::Tensor start_of(const HeadParams& params, const ClassSpace& space) {
  return params.init == "prompts" ? unit_rows(space.vectors) : at::Tensor();
}

void take_start(const at::Tensor& start, std::int64_t width, const at::Tensor& weight) {
  if (start.size(1) != width) refuse_width("head.init: prompts", start.size(1), width);
  weight.detach().copy_(start);
}

class LinearHead final : public Head {
 public:
  // `start` [classes, width] or undefined.
  explicit LinearHead(at::Tensor start) : start_(std::move(start)) {}

  void init(std::int64_t width, std::int64_t classes, Parameters& parameters,
            Random& random) override {
    linear_.init("linear", width, classes, LinearInit::standard, parameters, random);
    if (!start_.defined()) return;
    take_start(start_, width, linear_.weight());
    linear_.bias().detach().zero_();
  }
  at::Tensor operator()(const at::Tensor& states, const Values&) const override {
    return linear_(states);
  }

 private:
  at::Tensor start_;
  Linear linear_;
};

class CosineHead final : public Head {
 public:
  CosineHead(double scale, at::Tensor start) : scale_(scale), start_(std::move(start)) {}

  void init(std::int64_t width, std::int64_t classes, Parameters& parameters,
            Random& random) override {
    linear_.init("linear", width, classes, LinearInit::standard, parameters, random, false);
    if (start_.defined()) take_start(start_, width, linear_.weight());
    log_scale_ = parameters.add("log_scale", at::full({1}, std::log(scale_), at::kFloat));
  }
  at::Tensor operator()(const at::Tensor& states, const Values&) const override {
    return log_scale_.exp() * unit_rows(states).matmul(unit_rows(linear_.weight()).t());
  }

 private:
  double scale_;
  at::Tensor start_;
  Linear linear_;
  at::Tensor log_scale_;
};

// Scores by the texts of the classes.
class PromptsHead : public Head {
 public:
  explicit PromptsHead(const ClassSpace& space) : space_(space) {}

  void init(std::int64_t width, std::int64_t, Parameters&, Random&) override {
    if (width != space_.width) refuse_width("head.use: prompts", space_.width, width);
  }

 protected:
  [[nodiscard]] at::Tensor products(const at::Tensor& states, const at::Tensor& vectors) const {
    return unit_rows(states).matmul(vectors.t()) * space_.logit_scale;
  }

 private:
  ClassSpace space_;
};

// Cosines with the class vectors: Radford et al. 2021, section 3.1, where the states are the
// pictures' features.
class FeatureAverage final : public PromptsHead {
 public:
  using PromptsHead::PromptsHead;
  at::Tensor operator()(const at::Tensor& states, const Values& values) const override {
    return products(states, unit_rows(values.classes));
  }
};

// The mean of the cosines with each text of a class: Menon and Vondrick 2023.
class ScoreAverage final : public PromptsHead {
 public:
  using PromptsHead::PromptsHead;
  at::Tensor operator()(const at::Tensor& states, const Values& values) const override {
    return products(states, values.classes);
  }
};

}  // namespace

std::unique_ptr<Head> no_head() { return std::make_unique<NoHead>(); }

std::unique_ptr<Head> make_head(const HeadParams& params, const ClassSpace& space) {
  const at::Tensor start = start_of(params, space);
  if (params.use == "linear") {
    return std::make_unique<LinearHead>(start.defined() ? start * space.logit_scale : start);
  }
  if (params.use == "cosine") {
    return std::make_unique<CosineHead>(start.defined() ? space.logit_scale : params.scale, start);
  }
  ESPALIER_ASSERT(params.use == "prompts" || params.use == "zero_shot",
                  "a head that the schema allows");
  if (params.average == "scores") return std::make_unique<ScoreAverage>(space);
  return std::make_unique<FeatureAverage>(space);
}

}  // namespace espalier
