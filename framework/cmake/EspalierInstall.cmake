# What `cmake --install` gives: programs, libraries, the headers that plugins see, data, the package.
# The host and train libraries are inside the programs.
include(CMakePackageConfigHelpers)
set(espalier_package ${CMAKE_INSTALL_LIBDIR}/cmake/espalier)

set_target_properties(espalier_core espalier_tensor PROPERTIES INSTALL_RPATH "$ORIGIN")
file(RELATIVE_PATH espalier_lib_from_bin /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
file(RELATIVE_PATH espalier_lib_from_libexec
     /${CMAKE_INSTALL_LIBEXECDIR}/espalier /${CMAKE_INSTALL_LIBDIR})
set_target_properties(espalier PROPERTIES INSTALL_RPATH "$ORIGIN/${espalier_lib_from_bin}")
set_target_properties(espalier-worker PROPERTIES
                      INSTALL_RPATH "$ORIGIN/${espalier_lib_from_libexec}")

install(TARGETS espalier_core espalier EXPORT espalierCoreTargets)
install(TARGETS espalier_tensor espalier_testing EXPORT espalierTensorTargets)
install(TARGETS espalier-worker RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/espalier)
foreach(tier IN ITEMS core image text tensor nn graph plugin dataset testing)
  install(DIRECTORY include/espalier/${tier} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/espalier)
endforeach()

foreach(part IN ITEMS Core Tensor)
  install(EXPORT espalier${part}Targets NAMESPACE espalier:: DESTINATION ${espalier_package})
endforeach()
configure_package_config_file(cmake/espalierConfig.cmake.in espalierConfig.cmake
  INSTALL_DESTINATION ${espalier_package} PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(espalierConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/espalierConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/espalierConfigVersion.cmake
              cmake/EspalierPlugin.cmake cmake/EspalierPrecompile.cmake cmake/EspalierTorch.cmake
        DESTINATION ${espalier_package})

# Data that comes with Espalier, found beside the programs (core/builtin.hpp).
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share)
file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/share ${PROJECT_BINARY_DIR}/share/espalier SYMBOLIC)
install(DIRECTORY share/ DESTINATION ${CMAKE_INSTALL_DATADIR}/espalier)
