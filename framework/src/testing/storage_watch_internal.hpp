// Which hooks hold on to what they are given.
#pragma once

#include <espalier/nn/adaptable.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace espalier::conformance {

// Wraps every hook so that it notes the storage of what the hook is given.
class StorageWatch {
 public:
  explicit StorageWatch(const AdaptableEncoder& encoder) {
    for (Site* site : encoder.sites()) watch(*site);
  }
  // Names of sites whose hooks were given tensors that are still alive.
  [[nodiscard]] std::set<std::string> kept() const {
    std::set<std::string> names;
    for (const auto& [site, storage] : given_) {
      if (!storage.expired()) names.insert(site);
    }
    return names;
  }

 private:
  void note(const std::string& site, const at::Tensor& tensor) {
    given_.emplace_back(site, tensor.storage().getWeakStorageImpl());
  }
  void watch(Site& site) {
    const InputHook input = site.input_hook();
    const OutputHook output = site.output_hook();
    site.unhook();
    if (input) {
      site.hook_input([this, input, name = site.name](const at::Tensor& x, const Mode& mode) {
        note(name, x);
        return input(x, mode);
      });
    }
    if (output) {
      site.hook_output([this, output, name = site.name](const at::Tensor& x, const at::Tensor& y,
                                                        const Mode& mode) {
        note(name, x);
        note(name, y);
        return output(x, y, mode);
      });
    }
  }

  std::vector<std::pair<std::string, c10::weak_intrusive_ptr<c10::StorageImpl>>> given_;
};

}  // namespace espalier::conformance
