# Options, and the interface target that carries what every target here is compiled with.
option(ESPALIER_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(ESPALIER_BUILD_BENCHMARKS "Build the benchmarks in tests/bench" OFF)
option(ESPALIER_BUILD_FUZZERS "Build the fuzz targets in tools/fuzz; needs clang" OFF)
option(ESPALIER_BUILD_TOOLS "Build the program that pretrains the embedded CLIP" OFF)
option(ESPALIER_WERROR "Treat warnings as errors" OFF)
option(ESPALIER_COVERAGE "Count executed lines, for gcov" OFF)
option(ESPALIER_UNITY "Compile the sources of a target in batches" ON)
set(ESPALIER_SANITIZE "" CACHE STRING
    "Sanitizers to build with: address, undefined, thread, or a comma list")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET default)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
# An installed program finds LibTorch where the build found it.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

find_program(ESPALIER_CCACHE ccache)
if(ESPALIER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # With these it keeps files that use precompiled headers as well.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      ${ESPALIER_CCACHE})
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
endif()

add_library(espalier_options INTERFACE)
target_compile_options(espalier_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow
                       $<$<BOOL:${ESPALIER_WERROR}>:-Werror>
                       # A product and a sum are rounded apart on every processor.
                       -ffp-contract=off
                       # GCC sees overlap and too long copies in `"text" + std::string` (12, its
                       # bug 105651), and writes past the end where a vector grows (14).
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
if(ESPALIER_SANITIZE)
  target_compile_options(espalier_options INTERFACE -fsanitize=${ESPALIER_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(espalier_options INTERFACE -fsanitize=${ESPALIER_SANITIZE})
endif()
if(ESPALIER_COVERAGE)
  target_compile_options(espalier_options INTERFACE --coverage)
  target_link_options(espalier_options INTERFACE --coverage)
endif()
if(ESPALIER_BUILD_FUZZERS)
  target_compile_options(espalier_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Sources of a target that are compiled together share what they include and instantiate. So names in
# unnamed namespaces are unique within a target; what two files need stands in a header. The preset
# `dev` compiles each file alone, and shows an include that only a neighbour has.
function(espalier_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${ESPALIER_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()
