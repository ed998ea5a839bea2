// Methods that change class scores by what they learn from features: caches, discriminants, probes.
//
//   class Mine final : public espalier::LogitsMethod {
//    public:
//     using Params = MineParams;
//     Mine(const Params&, const espalier::RunContext&);
//    private:
//     void fit(const MethodInput& input) override { start_ = ...; }
//     void begin(Parameters& parameters) override {
//       weight_ = parameters.add("weight", start_);
//     }
//     at::Tensor scores(const at::Tensor& x, const at::Tensor& logits) const override {
//       return logits + at::matmul(x, weight_.t());
//     }
//   };
//
// Everything is float32 on the CPU, where class scores are.
#pragma once

#include <espalier/plugin/peft.hpp>
#include <string>
#include <vector>

namespace espalier {

class LogitsMethod : public Peft {
 public:
  // Throws Error where the trial has no class vectors.
  void prepare(const MethodInput& input) final;
  // Does nothing where the encoder has no logits site. Throws Error before prepare().
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) final;
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const final { return buffers_; }

 protected:
  // Of the input every feature and every class vector has length 1.
  virtual void fit(const MethodInput& input) = 0;
  // Adds its parameters, and what it keeps as it is.
  virtual void begin(Parameters& parameters) = 0;
  // [n, classes], of features [n, w] of length 1 and the scores that the class vectors give them.
  [[nodiscard]] virtual at::Tensor scores(const at::Tensor& features,
                                          const at::Tensor& logits) const = 0;

  // The tensor, as a buffer of the method under this name.
  at::Tensor keep(const std::string& name, const at::Tensor& tensor);

 private:
  bool fitted_ = false;
  std::vector<Parameters::Entry> buffers_;
};

}  // namespace espalier
