// A PEFT method as the training loop sees it.
#pragma once

#include <espalier/plugin/peft.hpp>
#include <string>

namespace espalier {

// Calls are guarded: what the method throws names it. Without a method they do nothing.
class MethodInTraining {
 public:
  MethodInTraining() = default;
  // The method must outlive it; `name` is for messages.
  MethodInTraining(Peft& method, std::string name) : method_(&method), name_(std::move(name)) {}

  // The loss and what the method adds to it.
  [[nodiscard]] at::Tensor penalised(const at::Tensor& loss) const;

 private:
  Peft* method_ = nullptr;
  std::string name_;
};

}  // namespace espalier
