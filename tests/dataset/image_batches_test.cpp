#include <espalier/dataset/image_batches.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace espalier {
namespace {

Image picture(std::size_t sample) {
  // Later ones are done first.
  std::this_thread::sleep_for(std::chrono::microseconds(100 * (7 - sample % 7)));
  return {.width = 1, .height = 1, .rgb = {static_cast<std::uint8_t>(sample), 0, 0}};
}

std::vector<std::size_t> samples_of(std::size_t count) {
  std::vector<std::size_t> samples(count);
  std::iota(samples.begin(), samples.end(), 3);
  return samples;
}

TEST(ImageBatches, ComeInOrderWhateverTheThreads) {
  for (const std::int64_t threads : {1, 2, 5}) {
    for (const std::size_t count : {0, 1, 8, 9, 40}) {
      ImageBatches batches(samples_of(count), 8, threads, picture);
      std::vector<std::size_t> seen;
      for (auto images = batches.next(); !images.empty(); images = batches.next()) {
        EXPECT_LE(images.size(), 8U);
        for (const Image& image : images) seen.push_back(image.rgb.at(0));
      }
      EXPECT_EQ(seen, samples_of(count)) << threads << " threads";
    }
  }
}

TEST(ImageBatches, TwoBatchesAtMostAreInMemory) {
  std::atomic<std::size_t> decoded = 0;
  ImageBatches batches(samples_of(100), 4, 3, [&](std::size_t sample) {
    ++decoded;
    return picture(sample);
  });
  const auto first = batches.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(decoded, 8U);
}

TEST(ImageBatches, TheFirstFailureIsTold) {
  ImageBatches batches(samples_of(20), 10, 4, [](std::size_t sample) {
    if (sample >= 14) throw std::runtime_error(std::to_string(sample));
    return picture(sample);
  });
  EXPECT_EQ(batches.next().size(), 10U);
  EXPECT_THAT([&] { (void)batches.next(); },
              testing::ThrowsMessage<std::runtime_error>(testing::Eq("14")));
}

TEST(ImageBatches, AnEndInTheMiddleWaitsForNobody) {
  ImageBatches batches(samples_of(1000), 4, 2, picture);
  EXPECT_EQ(batches.next().size(), 4U);
}

}  // namespace
}  // namespace espalier
