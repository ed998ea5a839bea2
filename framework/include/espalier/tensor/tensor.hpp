// The narrow piece of LibTorch that the tensor interfaces need: at::Tensor, and the version for the
// ABI stamp.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/version.h>

#undef ESPALIER_ABI_TORCH
#define ESPALIER_ABI_TORCH TORCH_VERSION
