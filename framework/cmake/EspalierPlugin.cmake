# espalier_add_plugin(NAME KIND kind SOURCES file... [TENSORS] [LINK target...])
#
# A component in a shared library of its own, KIND-NAME.espalier.so in the folder `plugins` of the
# build. Datasets and captioners link espalier::core alone and fit every LibTorch; with TENSORS, as
# the other kinds always, they link espalier::tensor. The library exports its manifest and entry point, refers to nothing that is
# not there, and is never unloaded.
function(espalier_add_plugin name)
  cmake_parse_arguments(arg "TENSORS" "KIND" "SOURCES;LINK" ${ARGN})
  set(target plugin_${arg_KIND}_${name})
  add_library(${target} MODULE ${arg_SOURCES})
  set(family tensor)
  if(NOT arg_TENSORS AND (arg_KIND STREQUAL "dataset" OR arg_KIND STREQUAL "captioner"))
    set(family core)
  endif()
  target_link_libraries(${target} PRIVATE espalier::${family} ${arg_LINK})
  if(TARGET espalier_options)
    target_link_libraries(${target} PRIVATE espalier_options)
  endif()
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_options(${target} PRIVATE -Wl,-z,nodelete)
  if(NOT ESPALIER_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${arg_KIND}-${name} SUFFIX ".espalier.so"
    CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON DEFINE_SYMBOL ""
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins
    INSTALL_RPATH "$ORIGIN/../..")
  espalier_precompile(${target} ${family})
endfunction()

# espalier_add_conformance_test(NAME KIND kind [PARAMETERS name=value...])
#
# A test that runs `espalier plugins check` over the plugin. PARAMETERS are those that the component
# cannot work without.
function(espalier_add_conformance_test name)
  cmake_parse_arguments(arg "" "KIND" "PARAMETERS" ${ARGN})
  add_test(NAME conformance.${arg_KIND}.${name}
    COMMAND espalier::espalier plugins check $<TARGET_FILE:plugin_${arg_KIND}_${name}>
            ${arg_PARAMETERS})
endfunction()
