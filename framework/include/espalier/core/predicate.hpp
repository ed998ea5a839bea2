// The small language of `when`, `exclude`, `only_if` and parameter checks.
//
//   expr    := or ;  or := and ("or" and)* ;  and := not ("and" not)* ;  not := "not" not | compare
//   compare := sum (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in") sum)?
//   sum     := product (("+" | "-") product)* ;  product := atom (("*" | "/" | "%") atom)*
//   atom    := number | "-" atom | "true" | "false" | "null" | 'text' | "text" | word
//            | "[" [sum ("," sum)*] "]" | "(" expr ")" | "has" "(" kind "," capability ")"
//
// A word is a dotted path such as graph.tau and stands for the value under that key. A key that
// names a component's section stands for its name: `gnn == 'gat'` is `gnn.use == 'gat'`. A word
// without a value is its own text where it has no dot (`gnn == gat`), else null. Null is equal to
// null alone, counts as false, and makes every comparison of order false: `exclude: gnn.heads > 4`
// leaves trials without heads alone.
#pragma once

#include <espalier/core/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// What a predicate can ask.
struct PredicateScope {
  // The value under a dotted key, or nullptr where there is none.
  std::function<const Json*(std::string_view key)> value;
  // Whether the component chosen for `kind` has the capability.
  std::function<bool(std::string_view kind, std::string_view capability)> has;
};

// One side of a comparison.
struct Operand {
  enum class Type { word, literal, computed };
  Type type = Type::computed;
  std::string word;  // of a word
  Json value;        // of a literal
};

// Two things that a predicate compares; `in` compares with each item of its list.
struct Comparison {
  Operand left;
  Operand right;
};

struct CapabilityQuestion {
  std::string kind;
  std::string capability;
};

class Predicate {
 public:
  // Throws Error that names `origin` and the column of the first mistake.
  static Predicate parse(std::string_view text, std::string_view origin);

  // Throws Error where an operation does not fit its operands (`'a' < 3`).
  [[nodiscard]] bool holds(const PredicateScope& scope) const;
  // The words that it reads, sorted and unique; some may be text.
  [[nodiscard]] std::vector<std::string> words() const;
  // The words that stand beside no comparison, sorted and unique: they cannot be text.
  [[nodiscard]] std::vector<std::string> bare_words() const;
  [[nodiscard]] std::vector<Comparison> comparisons() const;
  // What it asks by has().
  [[nodiscard]] std::vector<CapabilityQuestion> capabilities() const;
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  struct Node;

 private:
  std::string text_;
  std::string origin_;
  std::shared_ptr<const Node> root_;
};

}  // namespace espalier
