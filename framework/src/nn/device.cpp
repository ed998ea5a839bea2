#include <ATen/Context.h>
#include <torch/version.h>

#include <charconv>
#include <espalier/core/error.hpp>
#include <espalier/nn/pretrained.hpp>

namespace espalier {
namespace {

// Of processors that are not x86, none is known to multiply it faster than float32 by LibTorch.
bool cpu_multiplies_bfloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

bool native_bfloat16(at::Device device) { return device.is_cuda() || cpu_multiplies_bfloat16(); }

}  // namespace

at::Device device_of(std::string_view text) {
  const bool gpu = at::hasCUDA();
  if (text == "auto") return gpu ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  if (text == "cpu") return at::Device(at::kCPU);
  int index = 0;
  const bool numbered = text.starts_with("cuda:");
  const char* const end = text.data() + text.size();
  const bool good =
      text == "cuda" || (numbered && std::from_chars(text.data() + 5, end, index).ptr == end &&
                         text.size() > 5 && index >= 0 && index < 64);
  if (!good) {
    throw Error({.what = "there is no such device",
                 .where = {},
                 .expected = "cpu, cuda, cuda:1 or auto",
                 .found = std::string(text),
                 .fix = {}});
  }
  if (!gpu) {
    throw Error({.what = "no GPU can be used",
                 .where = {},
                 .expected = "a LibTorch with CUDA, and a "
                             "GPU",
                 .found = "LibTorch " TORCH_VERSION " without",
                 .fix = "--device cpu"});
  }
  const auto count = static_cast<int>(at::getNumGPUs());
  if (index >= count) {
    throw Error({.what = "there is no such GPU",
                 .where = {},
                 .expected = count == 1 ? "cuda:0" : "cuda:0 to cuda:" + std::to_string(count - 1),
                 .found = std::string(text),
                 .fix = {}});
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

at::ScalarType precision_of(std::string_view text, at::Device device) {
  if (text == "float32") return at::kFloat;
  if (text == "bfloat16") return at::kBFloat16;
  if (text == "auto") return native_bfloat16(device) ? at::kBFloat16 : at::kFloat;
  if (text != "float16") {
    throw Error({.what = "there is no such precision",
                 .where = {},
                 .expected = "auto, float32, bfloat16 or float16",
                 .found = std::string(text),
                 .fix = {}});
  }
  if (device.is_cpu() && TORCH_VERSION_MAJOR < 2) {
    throw Error({.what = "this LibTorch cannot multiply in float16 on a CPU",
                 .where = {},
                 .expected = "float32, or bfloat16 where the CPU has it",
                 .found = "LibTorch " TORCH_VERSION,
                 .fix = "precision: auto"});
  }
  return at::kHalf;
}

}  // namespace espalier
