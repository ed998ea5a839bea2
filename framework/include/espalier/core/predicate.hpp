// The small language of `when`, `exclude`, `only_if` and parameter checks.
//
//   expr    := or ;  or := and ("or" and)* ;  and := not ("and" not)* ;  not := "not" not | compare
//   compare := sum (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in") sum)?
//   sum     := product (("+" | "-") product)* ;  product := atom (("*" | "/" | "%") atom)*
//   atom    := number | "true" | "false" | "null" | 'text' | "text" | key | [list] | (expr)
//            | has(kind, capability)
//
// A key is a dotted path such as graph.tau. A path that names a component's section stands for its
// name: `gnn == 'gat'` is `gnn.use == 'gat'`. A word that is no key of the configuration is text.
#pragma once

#include <espalier/core/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace espalier {

// What a predicate can ask.
struct PredicateScope {
  // The value under a dotted key, or null where there is none (the pointer may be null).
  std::function<const Json*(std::string_view key)> value;
  // Whether the component chosen for `kind` has the capability.
  std::function<bool(std::string_view kind, std::string_view capability)> has;
};

class Predicate {
 public:
  // Throws Error that names `origin` and the column of the first mistake.
  static Predicate parse(std::string_view text, std::string_view origin);

  // Throws Error where an operation does not fit its operands (`'a' < 3`).
  [[nodiscard]] bool holds(const PredicateScope& scope) const;
  // The dotted keys that it reads, sorted and unique.
  [[nodiscard]] std::vector<std::string> keys() const;
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  struct Node;

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;
};

}  // namespace espalier
