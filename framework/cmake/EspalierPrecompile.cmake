# Headers that many files of one family include, parsed once: about half of what a file costs. Every
# file still includes what it uses; the preset `dev` builds without them and shows where it does not.
# Installed, so that plugins that are written elsewhere compile as fast.
option(ESPALIER_PRECOMPILE "Precompile the headers that many files include" ON)

set(espalier_core_from nlohmann_json::nlohmann_json)
set(espalier_core_headers
  <algorithm> <filesystem> <functional> <map> <memory> <nlohmann/json.hpp> <string> <vector>)
set(espalier_tensor_from espalier_torch ${espalier_core_from})
set(espalier_tensor_headers
  <ATen/TensorOperators.h> <ATen/core/Tensor.h> <ATen/ops/cat.h> <ATen/ops/empty.h>
  <ATen/ops/zeros.h> ${espalier_core_headers})

# The target that compiles the headers of a family, and nothing else: whoever uses them need not
# wait for more.
function(espalier_precompiled_headers family)
  set(source ${CMAKE_BINARY_DIR}/espalier_precompiled.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Headers alone.\n")
  set(target espalier_precompiled_${family})
  add_library(${target} OBJECT ${source})
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE ${espalier_${family}_from})
  if(TARGET espalier_options)
    target_link_libraries(${target} PRIVATE espalier_options)
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_precompile_headers(${target} PRIVATE ${espalier_${family}_headers})
endfunction()

# espalier_precompile(TARGET core|tensor)
#
# Clang takes headers of one visibility for no other, so plugins do without there.
function(espalier_precompile target family)
  get_target_property(visibility ${target} CXX_VISIBILITY_PRESET)
  if(NOT ESPALIER_PRECOMPILE OR (CMAKE_CXX_COMPILER_ID MATCHES Clang AND visibility STREQUAL "hidden"))
    return()
  endif()
  if(NOT TARGET espalier_precompiled_${family})
    espalier_precompiled_headers(${family})
  endif()
  target_precompile_headers(${target} REUSE_FROM espalier_precompiled_${family})
  # They fit -fPIC alone, and CMake compiles programs with -fPIE.
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()
