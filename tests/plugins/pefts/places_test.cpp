// Adapters that hold places of a weight beside its numbers.
#include <espalier/nn/named_tensors.hpp>
#include <espalier/peft/adapter.hpp>

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <espalier/core/error.hpp>
#include <filesystem>

#include "plugins/pefts/attached.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::Attached;
using testing_support::error_of;

class Places : public testing::TestWithParam<std::pair<const char*, Json>> {};

TEST_P(Places, GoThroughAFileAsIntegers) {
  const auto& [name, params] = GetParam();
  const Attached run("clip-tiny-gelu", name, params);
  const auto folder = std::filesystem::path(testing::TempDir()) / (std::string("places-") + name);
  write_adapter(folder, {run.method->adapter_config(), run.tensors()});
  const Adapter read = read_adapter(folder);
  std::filesystem::remove_all(folder);
  std::int64_t integers = 0;
  for (const auto& [tensor_name, tensor] : read.tensors) {
    integers += tensor.scalar_type() == at::kInt ? 1 : 0;
  }
  EXPECT_EQ(integers, std::ssize(run.method->buffers()));
  const Attached other("clip-tiny-gelu", name, params);
  EXPECT_EQ(error_of([&] { copy_tensors(read.tensors, other.tensors(), "test"); }), "");
}

TEST_P(Places, OutsideOfTheWeightAreRefused) {
  const auto& [name, params] = GetParam();
  const Attached run("clip-tiny-gelu", name, params);
  const NamedTensors inputs =
      read_named_tensors(cases::encoder_case("clip-tiny-gelu") / "expected.safetensors");
  const c10::NoGradGuard no_grad;
  EXPECT_EQ(error_of([&] { (void)run_on_tensors(*run.encoder, inputs, false); }), "");
  for (const std::int64_t place : {-1, 1 << 20}) {
    at::Tensor(run.method->buffers().back().second).fill_(place);
    EXPECT_THAT(error_of([&] { (void)run_on_tensors(*run.encoder, inputs, false); }),
                HasSubstr("places outside of a weight"));
  }
}

TEST_P(Places, AreNoFloatingPointNumbers) {
  const auto& [name, params] = GetParam();
  const Attached run("clip-tiny-gelu", name, params);
  std::vector<Parameters::Entry> wrong = run.tensors();
  for (auto& [tensor_name, tensor] : wrong) tensor = tensor.to(at::kFloat);
  EXPECT_THAT(error_of([&] { copy_tensors(wrong, run.tensors(), "test"); }),
              HasSubstr("holds other numbers"));
}

INSTANTIATE_TEST_SUITE_P(Methods, Places,
                         testing::Values(std::pair("shira", Json{{"r", 2}}),
                                         std::pair("supertuning", Json{{"sparsity", 0.9}})),
                         [](const auto& tested) { return std::string(tested.param.first); });

}  // namespace
}  // namespace espalier
