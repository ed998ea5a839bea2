// The syntax tree of a predicate, between its parser and its evaluation.
#pragma once

#include <espalier/core/predicate.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct Predicate::Node {
  enum class Type { literal, word, list, has, negate, invert, both, either, compare, arithmetic };
  Type type = Type::literal;
  std::string text;  // a word, a kind, an operator
  std::string capability;
  Json literal;
  std::vector<Node> children;
};

// Throws Error that names `origin`.
[[nodiscard]] Predicate::Node parse_predicate(std::string_view text, std::string_view origin);

}  // namespace espalier
