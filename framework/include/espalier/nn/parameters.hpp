// The trainable tensors of a trial, by name.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/tensor/tensor.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

// Factors on the trial's learning rate and weight decay, by which a method sets some of its
// parameters apart: LoRA+ learns its B faster, norms and biases want no decay.
struct ParameterRates {
  double lr = 1;
  double decay = 1;
};

// Keeps insertion order. Names are dotted paths and unique, Hugging Face's where it has the like.
// Tensors are leaves that require gradients; the holder may keep the returned tensor, it is the
// same storage.
class Parameters {
 public:
  using Entry = std::pair<std::string, at::Tensor>;

  // A leaf with a copy of `initial`, which itself is never trained. Throws Error when the name is
  // taken.
  at::Tensor add(const std::string& name, const at::Tensor& initial, ParameterRates rates = {});

  // Before the name of the next one.
  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }
  // Those of the entries from `first` on, under their names without the prefix.
  [[nodiscard]] std::vector<Entry> added_since(std::size_t first) const;
  // Where the next one will be: the CPU unless a Scope says otherwise.
  [[nodiscard]] at::Device device() const noexcept { return device_; }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  // In the order of the entries.
  [[nodiscard]] const std::vector<ParameterRates>& rates() const noexcept { return rates_; }
  [[nodiscard]] std::vector<at::Tensor> tensors() const;
  // Number of scalars.
  [[nodiscard]] std::int64_t count() const;
  // Copies of all tensors, detached; restore() writes such copies back in place.
  [[nodiscard]] std::vector<Entry> snapshot() const;
  void restore(const std::vector<Entry>& snapshot);

  // Puts a prefix, which may be empty, before every name that is added while it lives, and the
  // tensor on a device.
  class Scope {
   public:
    Scope(Parameters& parameters, const std::string& prefix,
          std::optional<at::Device> device = std::nullopt);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

   private:
    Parameters& parameters_;
    std::size_t length_;
    at::Device device_;
  };

 private:
  at::Device device_ = at::kCPU;
  std::string prefix_;
  std::vector<Entry> entries_;
  std::vector<ParameterRates> rates_;
};

// Whether no element is NaN or infinite.
[[nodiscard]] bool all_finite(const at::Tensor& tensor);

// Initial values, drawn from Espalier's own generator so that they are the same everywhere. All
// float32. `fan_in` is the last dimension, `fan_out` the one before; others count the matrices.
[[nodiscard]] at::Tensor uniform_init(at::IntArrayRef sizes, double bound, Random& random);
[[nodiscard]] at::Tensor normal_init(at::IntArrayRef sizes, double deviation, Random& random);
[[nodiscard]] at::Tensor glorot_uniform(at::IntArrayRef sizes, Random& random);
// Kaiming uniform with a = sqrt(5), PyTorch's default for a linear layer: bound 1 / sqrt(fan_in).
[[nodiscard]] at::Tensor linear_init(at::IntArrayRef sizes, Random& random);

}  // namespace espalier
