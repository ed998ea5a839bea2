# Finds what Espalier is built on; docs/dependencies.md gives the reason for each. Everything that is
# missing is reported at once, with the Debian package that has it.
include(EspalierTorch)

set(espalier_missing)
set(espalier_missing_packages)
function(espalier_need found name package)
  if(NOT found)
    set(espalier_missing "${espalier_missing}\n  ${name} (${package})" PARENT_SCOPE)
    set(espalier_missing_packages "${espalier_missing_packages} ${package}" PARENT_SCOPE)
  endif()
endfunction()

# Libraries that come with a package of their own for CMake, or that CMake itself knows how to find.
find_package(Threads REQUIRED)
find_package(OpenSSL QUIET)
find_package(nlohmann_json QUIET)
find_package(spdlog QUIET)
find_package(yaml-cpp QUIET)
find_package(Boost 1.74 QUIET CONFIG COMPONENTS program_options)
find_package(HDF5 QUIET COMPONENTS C HL)
find_package(ZLIB QUIET)
find_path(STB_INCLUDE_DIR stb/stb_image.h)
espalier_need("${OPENSSL_FOUND}" OpenSSL libssl-dev)
espalier_need("${nlohmann_json_FOUND}" nlohmann-json nlohmann-json3-dev)
espalier_need("${spdlog_FOUND}" spdlog libspdlog-dev)
espalier_need("${yaml-cpp_FOUND}" yaml-cpp libyaml-cpp-dev)
espalier_need("${Boost_FOUND}" "Boost 1.74 with DLL" libboost-dev)
espalier_need("${Boost_PROGRAM_OPTIONS_FOUND}" Boost.Program_options libboost-program-options-dev)
espalier_need("${HDF5_FOUND}" HDF5 libhdf5-dev)
espalier_need("${ZLIB_FOUND}" zlib zlib1g-dev)
espalier_need("${STB_INCLUDE_DIR}" stb libstb-dev)

# Libraries that describe themselves to pkg-config; PkgConfig::NAME is the target.
find_package(PkgConfig QUIET)
espalier_need("${PkgConfig_FOUND}" pkg-config pkg-config)
foreach(library IN ITEMS TURBOJPEG:libturbojpeg:libturbojpeg0-dev WEBP:libwebp:libwebp-dev SPNG:spng:libspng-dev
                         UTF8PROC:libutf8proc:libutf8proc-dev MATIO:matio:libmatio-dev
                         RE2:re2:libre2-dev CURL:libcurl:libcurl4-openssl-dev
                         HTTPLIB:cpp-httplib:libcpp-httplib-dev)
  string(REPLACE ":" ";" parts ${library})
  list(GET parts 0 name)
  list(GET parts 1 module)
  list(GET parts 2 package)
  if(PkgConfig_FOUND)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET ${module})
  endif()
  espalier_need("${${name}_FOUND}" ${module} ${package})
endforeach()

# What some photos need and others do without.
foreach(library IN ITEMS HEIF:libheif:libheif-dev "TIFF:libtiff-4>=4.5:libtiff-dev")
  string(REPLACE ":" ";" parts ${library})
  list(GET parts 0 name)
  list(GET parts 1 module)
  list(GET parts 2 package)
  if(PkgConfig_FOUND)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET ${module})
  endif()
  if(NOT ${name}_FOUND)
    message(STATUS "Without ${module} (${package}): photos that need it will be refused by name")
  endif()
endforeach()

# What one component needs. faiss is a static library whose loops the thread sanitizer cannot look into.
if(NOT ESPALIER_SANITIZE MATCHES "thread")
  find_package(OpenMP QUIET COMPONENTS CXX)
  find_package(faiss QUIET CONFIG)
endif()
if(NOT faiss_FOUND)
  message(STATUS "Without faiss (libfaiss-dev): graph/knn_ivf is left out")
endif()

espalier_need("${ESPALIER_TORCH_FOUND}" "LibTorch 1.13 to 2.x" "libtorch-dev libopenblas0-openmp")
if(ESPALIER_BUILD_TESTS)
  find_package(GTest QUIET)
  espalier_need("${GTest_FOUND}" GoogleTest "libgtest-dev libgmock-dev")
endif()
if(ESPALIER_BUILD_BENCHMARKS)
  find_package(benchmark QUIET)
  espalier_need("${benchmark_FOUND}" "Google Benchmark" libbenchmark-dev)
endif()

if(espalier_missing)
  message(FATAL_ERROR "These libraries were not found:${espalier_missing}\n"
    "On Debian:  apt install${espalier_missing_packages}\n"
    "Elsewhere, name their folders with -DCMAKE_PREFIX_PATH='/one;/two'. LibTorch is also taken from "
    "the torch package of an active Python environment.")
endif()

# yaml-cpp 0.7 names its target differently.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()
