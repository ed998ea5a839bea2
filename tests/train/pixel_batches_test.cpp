#include "train/pixel_batches.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace espalier {
namespace {

at::Tensor picture(const Look& look) {
  // Later ones are done first.
  std::this_thread::sleep_for(std::chrono::microseconds(100 * (7 - look.sample % 7)));
  return at::full({2, 3}, static_cast<double>(look.sample));
}

std::vector<std::size_t> samples_of(std::size_t count) {
  std::vector<std::size_t> samples(count);
  std::iota(samples.begin(), samples.end(), 3);
  return samples;
}

std::vector<Look> looks_of(std::size_t count) { return plain_looks(samples_of(count)); }

TEST(PixelBatches, ComeInOrderWhateverTheThreads) {
  for (const std::int64_t threads : {1, 2, 5}) {
    for (const std::size_t count : {0, 1, 8, 9, 40}) {
      PixelBatches batches(looks_of(count), 8, threads, picture);
      std::vector<std::size_t> seen;
      for (at::Tensor some = batches.next(); some.defined(); some = batches.next()) {
        EXPECT_LE(some.size(0), 8);
        EXPECT_EQ(some.sizes().slice(1).vec(), (std::vector<std::int64_t>{2, 3}));
        for (std::int64_t i = 0; i < some.size(0); ++i) {
          seen.push_back(static_cast<std::size_t>(some[i][1][2].item<double>()));
        }
      }
      EXPECT_EQ(seen, samples_of(count)) << threads << " threads";
    }
  }
}

TEST(PixelBatches, TwoBatchesAtMostAreInMemory) {
  std::atomic<std::size_t> made = 0;
  PixelBatches batches(looks_of(100), 4, 3, [&](const Look& look) {
    ++made;
    return picture(look);
  });
  const auto first = batches.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(made, 8U);
}

TEST(PixelBatches, TheFirstFailureIsTold) {
  PixelBatches batches(looks_of(20), 10, 4, [](const Look& look) {
    if (look.sample >= 14) throw std::runtime_error(std::to_string(look.sample));
    return picture(look);
  });
  EXPECT_EQ(batches.next().size(0), 10);
  EXPECT_THAT([&] { (void)batches.next(); },
              testing::ThrowsMessage<std::runtime_error>(testing::Eq("14")));
}

TEST(PixelBatches, AnEndInTheMiddleWaitsForNobody) {
  PixelBatches batches(looks_of(1000), 4, 2, picture);
  EXPECT_EQ(batches.next().size(0), 4);
}

}  // namespace
}  // namespace espalier
