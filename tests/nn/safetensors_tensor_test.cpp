#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <optional>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SafeTensorsTensorTest : public testing::Test {
 protected:
  ~SafeTensorsTensorTest() override { fs::remove(file_); }

  const fs::path file_ =
      fs::path(testing::TempDir()) / ("safetensors_tensor_test_" + std::to_string(::getpid()));
};

TEST_F(SafeTensorsTensorTest, EveryTypeSurvivesTheRoundTrip) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto type : {at::kByte, at::kChar, at::kShort, at::kInt, at::kLong, at::kHalf,
                          at::kBFloat16, at::kFloat, at::kDouble, at::kBool}) {
    tensors.emplace_back(c10::toString(type), at::arange(6).reshape({2, 3}).to(type));
  }
  tensors.emplace_back("scalar", at::full({}, 1.5));
  tensors.emplace_back("empty", at::full({0, 3}, 1.5));
  tensors.emplace_back("transposed", at::arange(6).reshape({2, 3}).t());
  write_tensors(file_, tensors, {{"format", "pt"}});
  const SafeTensors read = SafeTensors::open(file_);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor got = to_tensor(read, name);
    EXPECT_EQ(got.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(got, tensor)) << name;
  }
  EXPECT_EQ(read.metadata().at("format"), "pt");
}

TEST_F(SafeTensorsTensorTest, SharesTheMappingAndOutlivesTheSet) {
  write_tensors(file_, {{"a", at::full({4}, 2.0F)}});
  at::Tensor tensor;
  {
    const SafeTensors read = SafeTensors::open(file_);
    tensor = to_tensor(read, "a");
    EXPECT_EQ(tensor.data_ptr(), static_cast<const void*>(read.at("a").data));
  }
  tensor.fill_(3);
  EXPECT_EQ(tensor.sum().item<float>(), 12.0F);
  EXPECT_EQ(to_tensor(SafeTensors::open(file_), "a").sum().item<float>(), 8.0F);
}

// A header of 57 bytes puts the numbers at byte 65.
TEST_F(SafeTensorsTensorTest, CopiesWhatIsNotAligned) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   )";
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  const float value = 1.25F;
  bytes += header + std::string(reinterpret_cast<const char*>(&value), sizeof value);
  write_file(file_, bytes);
  const SafeTensors read = SafeTensors::open(file_);
  const at::Tensor tensor = to_tensor(read, "a");
  EXPECT_EQ(tensor.item<float>(), value);
  EXPECT_NE(tensor.data_ptr(), static_cast<const void*>(read.at("a").data));
}

TEST_F(SafeTensorsTensorTest, NamesATypeThatCannotBeUsed) {
  const TensorView view{"a", DType::f8_e4m3, {0}, nullptr, 0};
  write_safetensors(file_, {&view, 1});
  try {
    (void)to_tensor(SafeTensors::open(file_), "a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("F8_E4M3"));
  }
}

}  // namespace
}  // namespace espalier
