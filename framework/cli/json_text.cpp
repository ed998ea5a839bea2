#include "json_text.hpp"

#include <espalier/core/printable.hpp>

namespace espalier::cli {

std::string json_text(const Json& value, int indent) {
  return printable_json(value.dump(indent, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace espalier::cli
