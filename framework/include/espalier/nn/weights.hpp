// Takes a checkpoint's tensors by name, and says everything that is wrong with it at once.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <deque>
#include <espalier/core/error.hpp>
#include <espalier/nn/site.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Where in a model a weight acts, as Site says it.
struct WeightPlace {
  TowerKind tower = TowerKind::image;
  std::int64_t layer = -1;
};

// A weight under its checkpoint name, and the variable in which a model keeps it.
struct WeightSlot {
  std::string name;
  at::Tensor* slot = nullptr;
  at::Tensor frozen;                 // as it was loaded
  std::optional<WeightPlace> place;  // none: beside the towers
};

// The tensors of a Hugging Face folder. Throws Error that says how to convert where there are only
// pickled weights.
[[nodiscard]] SafeTensors open_weights(const std::filesystem::path& folder);

class WeightReader {
 public:
  // Float32 tensors stay in the file's mapping where `dtype` is float32 and the device the CPU.
  WeightReader(SafeTensors file, at::ScalarType dtype, at::Device device);

  // Takes `prefix` off every name that has it, as in the checkpoints of task models (`bert.`).
  void strip(std::string_view prefix);
  // Puts `prefix` before every name where none has it, as in the checkpoints of one tower.
  void complete(std::string_view prefix);
  // Takes tensors apart whose name has `.<module>.` in it: their rows are those of `parts`, one
  // after the other, which are called `.<module>.<part>.` from then on.
  void split(std::string_view module, const std::vector<std::string>& parts);
  // Names that begin or end with `text` carry nothing that the model uses.
  void ignore(std::string_view text);
  [[nodiscard]] bool has(std::string_view name) const;

  // The slot must outlive finish(). A tensor of one element fits the shapes [] and [1] alike.
  void bind(const std::string& name, const std::vector<std::int64_t>& shape, at::Tensor& slot,
            std::optional<WeightPlace> place);
  // `<site.name>.weight` and `.bias`.
  void bind_linear(Site& site, std::int64_t out, std::int64_t in, bool bias = true);
  void bind_norm(Site& site, std::int64_t width);

  // Fills all slots. Throws Error with every tensor that is missing, misshapen, superfluous, of a
  // type that is no floating-point number, or not finite; beyond twenty of a kind they are counted.
  [[nodiscard]] std::vector<WeightSlot> finish();

 private:
  struct Request {
    std::string name;
    std::vector<std::int64_t> shape;
    at::Tensor* slot;
    std::optional<WeightPlace> place;
  };
  // Gives every tensor the name that `rename` makes of its own.
  template <class Rename>
  void rename(const Rename& rename);
  void check_requests(Problems& problems) const;
  void check_superfluous(Problems& problems) const;
  void check_finite(Problems& problems) const;

  SafeTensors file_;
  at::ScalarType dtype_;
  at::Device device_;
  std::map<std::string, const TensorView*, std::less<>> tensors_;
  std::deque<TensorView> pieces_;  // of tensors that were split
  std::vector<std::string> ignored_;
  std::vector<Request> requests_;
};

}  // namespace espalier
