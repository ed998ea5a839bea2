#include "tensor/seal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace espalier {
namespace {

namespace fs = std::filesystem;

class SealTest : public testing::Test {
 protected:
  ~SealTest() override { fs::remove(file_); }

  [[nodiscard]] TensorView view(const std::string& name, std::vector<std::int64_t> shape) const {
    return {.name = name,
            .dtype = DType::u8,
            .shape = std::move(shape),
            .data = bytes_,
            .bytes = sizeof bytes_};
  }

  const std::byte bytes_[6] = {std::byte{1}, std::byte{2}, std::byte{3},
                               std::byte{4}, std::byte{5}, std::byte{6}};
  const fs::path file_ =
      fs::path(testing::TempDir()) / ("seal_" + std::to_string(::getpid()) + ".safetensors");
};

TEST_F(SealTest, CoversNamesTypesShapesBytesAndMetadata) {
  const TensorView a = view("a", {2, 3});
  const std::string seal = seal_of(std::span(&a, 1), {{"k", "v"}});
  TensorView other = view("b", {2, 3});
  EXPECT_NE(seal_of(std::span(&other, 1), {{"k", "v"}}), seal);
  other = view("a", {3, 2});
  EXPECT_NE(seal_of(std::span(&other, 1), {{"k", "v"}}), seal);
  other = view("a", {2, 3});
  other.dtype = DType::i8;
  EXPECT_NE(seal_of(std::span(&other, 1), {{"k", "v"}}), seal);
  EXPECT_NE(seal_of(std::span(&a, 1), {{"k", "w"}}), seal);
  EXPECT_NE(seal_of(std::span(&a, 1), {{"kv", ""}}), seal);
  EXPECT_EQ(seal_of(std::span(&a, 1), {{"k", "v"}, {"sha256", "itself"}}), seal);
}

TEST_F(SealTest, DoesNotDependOnTheOrder) {
  const TensorView forth[] = {view("a", {6}), view("b", {6})};
  const TensorView back[] = {view("b", {6}), view("a", {6})};
  EXPECT_EQ(seal_of(forth, {}), seal_of(back, {}));
}

TEST_F(SealTest, HoldsInAFileUntilAnyBitIsFlipped) {
  const TensorView a = view("a", {2, 3});
  write_safetensors(file_, std::span(&a, 1), sealed(std::span(&a, 1), {{"k", "v"}}));
  EXPECT_TRUE(seal_holds(SafeTensors::open(file_)));
  std::ifstream in(file_, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    std::ofstream(file_, std::ios::binary) << flipped;
    try {
      EXPECT_FALSE(seal_holds(SafeTensors::open(file_))) << at;
    } catch (const Error&) {
      // It is no safetensors file any more.
    }
  }
}

TEST_F(SealTest, AFileWithoutOneHasNoneThatHolds) {
  const TensorView a = view("a", {6});
  write_safetensors(file_, std::span(&a, 1));
  EXPECT_FALSE(seal_holds(SafeTensors::open(file_)));
}

}  // namespace
}  // namespace espalier
