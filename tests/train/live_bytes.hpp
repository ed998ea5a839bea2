// Bytes that tensors hold on the CPU while this lives, by an allocator around LibTorch's own.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <torch/version.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace espalier {

class LiveBytes {
 public:
  LiveBytes() : counting_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(&counting_, priority); }
  LiveBytes(const LiveBytes&) = delete;
  LiveBytes& operator=(const LiveBytes&) = delete;
  ~LiveBytes() { c10::SetCPUAllocator(counting_.inner, priority); }

  [[nodiscard]] std::int64_t peak() const { return counts_->peak; }

 private:
  static constexpr std::uint8_t priority = 100;

  // Outlives the tensors that were made meanwhile.
  struct Counts {
    std::atomic<std::int64_t> now = 0;
    std::atomic<std::int64_t> peak = 0;
  };
  struct Block {
    c10::DataPtr memory;
    std::int64_t bytes;
    std::shared_ptr<Counts> counts;
  };
  struct Counting final : c10::Allocator {
    explicit Counting(c10::Allocator* within) : inner(within) {}

#if TORCH_VERSION_MAJOR >= 2
    c10::DataPtr allocate(std::size_t bytes) override { return counted(bytes); }
    void copy_data(void* to, const void* from, std::size_t bytes) const override {
      default_copy_data(to, from, bytes);
    }
#else
    c10::DataPtr allocate(std::size_t bytes) const override { return counted(bytes); }
#endif
    c10::DeleterFnPtr raw_deleter() const override { return nullptr; }

    c10::DataPtr counted(std::size_t bytes) const {
      auto block = std::make_unique<Block>(
          Block{inner->allocate(bytes), static_cast<std::int64_t>(bytes), counts});
      counts->peak = std::max<std::int64_t>(counts->peak, counts->now += block->bytes);
      void* const data = block->memory.get();
      return {data, block.release(), &release, c10::Device(c10::kCPU)};
    }

    static void release(void* context) {
      const std::unique_ptr<Block> block(static_cast<Block*>(context));
      block->counts->now -= block->bytes;
    }

    c10::Allocator* inner;
    std::shared_ptr<Counts> counts = std::make_shared<Counts>();
  };

  Counting counting_;
  std::shared_ptr<Counts> counts_ = counting_.counts;
};

}  // namespace espalier
