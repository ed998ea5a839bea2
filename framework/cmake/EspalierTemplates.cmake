# espalier_embed_templates(OUT FOLDER): a source file that holds the templates of FOLDER as text.
function(espalier_embed_templates out folder)
  file(GLOB templates CONFIGURE_DEPENDS ${folder}/*.in)
  set(entries)
  foreach(template IN LISTS templates)
    get_filename_component(name ${template} NAME)
    string(REGEX REPLACE "\\.in$" "" name ${name})
    file(READ ${template} text)
    string(APPEND entries "    {\"${name}\", R\"template(${text})template\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${template})
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/plugin_templates.cpp)
  file(GENERATE OUTPUT ${source} CONTENT
"#include \"${CMAKE_CURRENT_SOURCE_DIR}/cli/host/plugin_templates.hpp\"

namespace espalier::cli {
const std::map<std::string_view, std::string_view> plugin_templates = {
${entries}};
}  // namespace espalier::cli
")
  set(${out} ${source} PARENT_SCOPE)
endfunction()
