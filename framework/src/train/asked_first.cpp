#include "train/asked_first.hpp"

#include <utility>
#include <vector>

namespace espalier {
namespace {

class AskedFirst final : public Protocol {
 public:
  AskedFirst(std::unique_ptr<Protocol> protocol, std::size_t count)
      : protocol_(std::move(protocol)), count_(count) {
    take_scene();
  }

  const Scene& training() const override { return training_; }
  std::vector<Scene> scenes(std::span<const std::size_t> queries) const override {
    return protocol_->scenes(queries);
  }
  void rebuild(const NodesOf& nodes) override {
    protocol_->rebuild(nodes);
    take_scene();
  }

 private:
  void take_scene() {
    training_ = protocol_->training();
    training_.asked.resize(count_);
  }

  std::unique_ptr<Protocol> protocol_;
  std::size_t count_;
  Scene training_;
};

}  // namespace

std::unique_ptr<Protocol> asked_first(std::unique_ptr<Protocol> protocol, std::size_t count) {
  if (count == protocol->training().asked.size()) return protocol;
  return std::make_unique<AskedFirst>(std::move(protocol), count);
}

}  // namespace espalier
