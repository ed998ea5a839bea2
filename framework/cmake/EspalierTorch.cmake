# Gives the imported target espalier_torch: LibTorch, with its headers as system headers. Sets
# ESPALIER_TORCH_FOUND, and when it is true ESPALIER_TORCH_ROOT and ESPALIER_TORCH_VERSION.
#
# Looked for in this order; a message says which one it is:
#   1. Torch_DIR, then CMAKE_PREFIX_PATH
#   2. ESPALIER_TORCH_ROOT, which remembers what an earlier configuration of this folder chose
#   3. the torch package of the Python that `python3` starts, where it has one
#   4. the system
# LibTorch's own find_package(Torch) is not called: a build with CUDA would make it ask for the CUDA
# toolkit and a GPU, and linking needs neither. The installed package includes this file as well.

# The nearest folder at or above `start` that holds LibTorch's headers, or empty.
function(espalier_torch_root start out)
  set(${out} "" PARENT_SCOPE)
  foreach(up IN ITEMS . .. ../.. ../../.. ../../../..)
    if(EXISTS ${start}/${up}/include/ATen/core/Tensor.h)
      get_filename_component(root ${start}/${up} ABSOLUTE)
      set(${out} ${root} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

function(espalier_torch_of_python out)
  set(${out} "" PARENT_SCOPE)
  find_program(python python3 NO_CACHE)
  if(NOT python)
    return()
  endif()
  execute_process(
    COMMAND ${python} -c "import importlib.util as u; print(u.find_spec('torch').origin)"
    OUTPUT_VARIABLE origin OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed OR NOT EXISTS "${origin}")
    return()
  endif()
  get_filename_component(folder ${origin} DIRECTORY)
  if(EXISTS ${folder}/include/ATen/core/Tensor.h AND EXISTS ${folder}/lib/libtorch_cpu.so)
    set(${out} ${folder} PARENT_SCOPE)
  endif()
endfunction()

# Sets `root` and `origin` in the caller, empty where there is no LibTorch.
function(espalier_choose_torch)
  set(suffixes . Torch share/cmake/Torch lib/cmake/Torch lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/Torch)
  find_path(config TorchConfig.cmake PATHS ${Torch_DIR} ${CMAKE_PREFIX_PATH} ENV CMAKE_PREFIX_PATH
            PATH_SUFFIXES ${suffixes} NO_DEFAULT_PATH NO_CACHE)
  if(config)
    espalier_torch_root(${config} root)
    set(origin "named by Torch_DIR or CMAKE_PREFIX_PATH")
  elseif(ESPALIER_TORCH_ROOT)
    set(root ${ESPALIER_TORCH_ROOT})
    set(origin "ESPALIER_TORCH_ROOT")
  else()
    espalier_torch_of_python(root)
    set(origin "the torch package of python3")
    if(NOT root)
      find_path(headers ATen/core/Tensor.h NO_CACHE)
      if(headers)
        espalier_torch_root(${headers} root)
        set(origin "the system's")
      endif()
    endif()
  endif()
  set(root "${root}" PARENT_SCOPE)
  set(origin "${origin}" PARENT_SCOPE)
endfunction()

function(espalier_torch_version root out)
  foreach(header IN ITEMS torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS ${root}/include/${header})
      file(READ ${root}/include/${header} text)
      foreach(part IN ITEMS MAJOR MINOR PATCH)
        string(REGEX MATCH "TORCH_VERSION_${part} ([0-9]+)" _ "${text}")
        list(APPEND parts ${CMAKE_MATCH_1})
      endforeach()
      list(JOIN parts "." version)
      set(${out} ${version} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# Debian and everything else that Espalier links use the C++11 ABI of libstdc++; so must LibTorch.
function(espalier_check_torch_abi c10 version)
  file(STRINGS ${c10} cxx11 REGEX "__cxx1112basic_string" LIMIT_COUNT 1)
  if(NOT cxx11)
    message(FATAL_ERROR "LibTorch ${version} in ${c10} was built with _GLIBCXX_USE_CXX11_ABI=0, which "
      "does not fit the other libraries. Take the torch package from 2.7 on, the cxx11-abi archive "
      "of LibTorch, or Debian's libtorch-dev.")
  endif()
endfunction()

# PyTorch's package brings the headers of libraries that are compiled into it. Its fmt would hide the
# one that spdlog was built with, so that one gets a folder of its own, searched first.
function(espalier_keep_own_fmt root)
  find_path(own fmt/core.h NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH NO_CACHE)
  if(NOT own OR NOT EXISTS ${root}/include/fmt)
    return()
  endif()
  file(REAL_PATH ${own}/fmt own_fmt)
  file(REAL_PATH ${root}/include/fmt torch_fmt)
  if(NOT own_fmt STREQUAL torch_fmt)
    set(folder ${CMAKE_BINARY_DIR}/espalier_own_headers)
    file(MAKE_DIRECTORY ${folder})
    file(CREATE_LINK ${own_fmt} ${folder}/fmt SYMBOLIC)
    target_include_directories(espalier_torch BEFORE INTERFACE ${folder})
  endif()
endfunction()

function(espalier_import_torch root)
  set(where PATHS ${root}/lib ${root}/lib/${CMAKE_LIBRARY_ARCHITECTURE} NO_DEFAULT_PATH NO_CACHE)
  find_library(torch_cpu torch_cpu ${where} REQUIRED)
  find_library(c10 c10 ${where} REQUIRED)
  find_library(torch_cuda torch_cuda ${where})
  find_library(c10_cuda c10_cuda ${where})
  espalier_check_torch_abi(${c10} ${ESPALIER_TORCH_VERSION})

  add_library(espalier_torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(espalier_torch INTERFACE
    ${root}/include ${root}/include/torch/csrc/api/include)
  espalier_keep_own_fmt(${root})
  target_link_libraries(espalier_torch INTERFACE ${torch_cpu} ${c10})
  if(torch_cuda)
    # Nothing refers to the CUDA backend by name; it registers itself when it is loaded.
    target_link_options(espalier_torch INTERFACE "LINKER:--push-state,--no-as-needed"
      ${torch_cuda} ${c10_cuda} "LINKER:--pop-state")
    set(flavour " with CUDA" PARENT_SCOPE)
  endif()
endfunction()

if(NOT TARGET espalier_torch)
  espalier_choose_torch()
  set(ESPALIER_TORCH_FOUND FALSE)
  if(root)
    set(ESPALIER_TORCH_ROOT ${root} CACHE PATH "Folder of LibTorch, with include and lib in it" FORCE)
    set(ESPALIER_TORCH_FOUND TRUE)
    espalier_torch_version(${root} ESPALIER_TORCH_VERSION)
    espalier_import_torch(${root})
    message(STATUS "LibTorch ${ESPALIER_TORCH_VERSION}${flavour}: ${origin} (${root})")
  endif()
endif()
