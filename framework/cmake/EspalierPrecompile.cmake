# Headers that many files of one family include, parsed once: about half of what a file costs. Every
# file still includes what it uses; the preset `dev` builds without them and shows where it does not.
option(ESPALIER_PRECOMPILE "Precompile the headers that many files include" ON)

set(espalier_core_headers
  <algorithm> <filesystem> <functional> <map> <memory> <nlohmann/json.hpp> <string> <vector>)
set(espalier_tensor_headers
  <ATen/TensorOperators.h> <ATen/core/Tensor.h> <ATen/ops/cat.h> <ATen/ops/empty.h>
  <ATen/ops/zeros.h> ${espalier_core_headers})
set(espalier_test_headers <gmock/gmock.h>)

# Precompiles headers for a target.
function(espalier_precompile target)
  if(ESPALIER_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# Uses those of another target, which is compiled with the same options.
function(espalier_reuse_precompiled target from)
  if(ESPALIER_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()
