// What LoHa and LoKr share, LyCORIS's two ways to make a weight of small factors (Yeh et al. 2024).
#pragma once

#include <espalier/peft/linear_method.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

struct LycorisParams : TargetParams {
  LycorisParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 8;
  double alpha = 8;
  double rank_dropout = 0;
  double module_dropout = 0;
  std::vector<std::string> rank_pattern;
  std::vector<std::string> alpha_pattern;
};

template <class Params>
void bind_lycoris(Schema<Params>& s) {
  bind_targets(s);
  s.template field<std::int64_t>("r", &Params::r)
      .sizes()
      .range(1, 65536)
      .doc("Rank of the factors")
      .source("Hugging Face PEFT");
  s.template field<double>("alpha", &Params::alpha)
      .above(0)
      .max(1e6)
      .doc("The weight is scaled by alpha / r")
      .source("Hugging Face PEFT");
  s.template field<double>("rank_dropout", &Params::rank_dropout)
      .min(0)
      .below(1)
      .doc("Share of the added weight's rows that a step of training leaves out");
  s.template field<double>("module_dropout", &Params::module_dropout)
      .min(0)
      .below(1)
      .doc("Share of maps that a step of training leaves as they are");
  s.template field<std::vector<std::string>>("rank_pattern", &Params::rank_pattern)
      .doc("Ranks of some modules, as MODULE=RANK; MODULE may be a regular expression");
  s.template field<std::vector<std::string>>("alpha_pattern", &Params::alpha_pattern)
      .doc("alpha of some modules, as MODULE=ALPHA");
}

// What a step of training leaves out of an added weight.
struct WeightDropout {
  std::string site;
  double rows = 0;
  double module = 0;
  bool scaled = true;  // the rows that stay make up for the others
};

class LycorisWeight : public AddedWeight {
 public:
  explicit LycorisWeight(WeightDropout dropout) : dropout_(std::move(dropout)) {}
  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const final;

 private:
  WeightDropout dropout_;
};

class LycorisMethod : public LinearMethod {
 protected:
  explicit LycorisMethod(const LycorisParams& params);

  [[nodiscard]] std::int64_t rank(const Site& site) const;
  // alpha / r
  [[nodiscard]] double scale(const Site& site) const;
  [[nodiscard]] WeightDropout dropout(const Site& site) const;
  [[nodiscard]] Json lycoris_config(std::string_view peft_type) const;

 private:
  LycorisParams params_;
  ModulePattern ranks_;
  ModulePattern alphas_;
};

}  // namespace espalier
