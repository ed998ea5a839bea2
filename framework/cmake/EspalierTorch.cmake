# Gives the target espalier_torch: LibTorch, with its headers as system headers.
find_package(Torch REQUIRED)
add_library(espalier_torch INTERFACE)
target_link_libraries(espalier_torch INTERFACE ${TORCH_LIBRARIES})
target_include_directories(espalier_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
