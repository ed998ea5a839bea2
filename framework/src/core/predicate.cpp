#include <espalier/core/predicate.hpp>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <string>
#include <utility>

#include "predicate_internal.hpp"

namespace espalier {
namespace {

using Node = Predicate::Node;
using Type = Node::Type;

// Texts of a condition may be no UTF-8.
std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Evaluator {
 public:
  explicit Evaluator(const PredicateScope& scope) : scope_(scope) {}

  [[nodiscard]] bool truth(const Node& node) const {
    switch (node.type) {
      case Type::both:
        return truth(node.children[0]) && truth(node.children[1]);
      case Type::either:
        return truth(node.children[0]) || truth(node.children[1]);
      case Type::invert:
        return !truth(node.children[0]);
      case Type::has:
        return scope_.has(node.text, node.capability);
      default:
        break;
    }
    const Json result = value(node);
    if (!result.is_boolean() && !result.is_null()) fail("true or false", text_of(result));
    return result.is_boolean() && result.get<bool>();
  }

 private:
  [[noreturn]] static void fail(std::string expected, std::string found) {
    throw Error({.what = "a condition does not fit its values",
                 .where = {},
                 .expected = std::move(expected),
                 .found = std::move(found),
                 .fix = {}});
  }

  [[nodiscard]] Json value(const Node& node) const {
    switch (node.type) {
      case Type::literal:
        return node.literal;
      case Type::word:
        return look_up(node.text);
      case Type::list:
        return list(node);
      case Type::negate:
        return arithmetic('-', 0.0, value(node.children[0]));
      case Type::compare:
        return compare(node.text, value(node.children[0]), value(node.children[1]));
      case Type::arithmetic:
        return arithmetic(node.text[0], value(node.children[0]), value(node.children[1]));
      default:
        return truth(node);
    }
  }

  [[nodiscard]] Json look_up(const std::string& key) const {
    const Json* found = scope_.value(key);
    if (found == nullptr) return key.find('.') == std::string::npos ? Json(key) : Json();
    if (found->is_object() && found->contains("use")) return (*found)["use"];
    return *found;
  }

  [[nodiscard]] Json list(const Node& node) const {
    Json items = Json::array();
    for (const Node& child : node.children) items.push_back(value(child));
    return items;
  }

  static Json compare(std::string_view op, const Json& left, const Json& right) {
    if (op == "==") return left == right;
    if (op == "!=") return left != right;
    if (op == "in") {
      if (!right.is_array()) fail("a list after \"in\"", text_of(right));
      return std::find(right.begin(), right.end(), left) != right.end();
    }
    if (left.is_null() || right.is_null()) return false;
    const bool comparable =
        (left.is_number() && right.is_number()) || (left.is_string() && right.is_string());
    if (!comparable) {
      fail("two numbers or two texts around \"" + std::string(op) + "\"",
           text_of(left) + " and " + text_of(right));
    }
    if (op == "<") return left < right;
    if (op == "<=") return left <= right;
    return op == ">" ? left > right : left >= right;
  }

  static Json arithmetic(char op, const Json& left, const Json& right) {
    if (left.is_null() || right.is_null()) return nullptr;
    if (!left.is_number() || !right.is_number()) {
      fail(std::string("two numbers around \"") + op + "\"",
           text_of(left) + " and " + text_of(right));
    }
    const double a = left.get<double>();
    const double b = right.get<double>();
    switch (op) {
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '/':
        return a / b;
      default:
        return std::fmod(a, b);
    }
  }

  const PredicateScope& scope_;
};

template <class Visit>
void visit(const Node& node, const Visit& each) {
  each(node);
  for (const Node& child : node.children) visit(child, each);
}

std::vector<std::string> sorted(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

Operand operand(const Node& node) {
  if (node.type == Type::word) return {Operand::Type::word, node.text, nullptr};
  if (node.type == Type::literal) return {Operand::Type::literal, {}, node.literal};
  return {};
}

// A list has its words compared one by one; elsewhere they are bare.
void bare(const Node& node, bool compared, std::vector<std::string>& words) {
  if (node.type == Type::word && !compared) words.push_back(node.text);
  const bool passes_on = node.type == Type::list && compared;
  for (const Node& child : node.children) {
    bare(child, node.type == Type::compare || passes_on, words);
  }
}

}  // namespace

Predicate Predicate::parse(std::string_view text, std::string_view origin) {
  Predicate predicate;
  predicate.text_ = text;
  predicate.origin_ = origin;
  predicate.root_ = std::make_shared<const Node>(parse_predicate(text, origin));
  return predicate;
}

bool Predicate::holds(const PredicateScope& scope) const try {
  return Evaluator(scope).truth(*root_);
} catch (const Error& error) {
  Problem problem = error.problems().front();
  problem.where = origin_;
  problem.found += ", in: " + text_;
  throw Error(std::move(problem));
}

std::vector<std::string> Predicate::words() const {
  std::vector<std::string> words;
  visit(*root_, [&](const Node& node) {
    if (node.type == Type::word) words.push_back(node.text);
  });
  return sorted(std::move(words));
}

std::vector<std::string> Predicate::bare_words() const {
  std::vector<std::string> words;
  bare(*root_, false, words);
  return sorted(std::move(words));
}

std::vector<Comparison> Predicate::comparisons() const {
  std::vector<Comparison> found;
  visit(*root_, [&](const Node& node) {
    if (node.type != Type::compare) return;
    const Node& right = node.children[1];
    if (right.type != Type::list) {
      found.push_back({operand(node.children[0]), operand(right)});
      return;
    }
    for (const Node& item : right.children) {
      found.push_back({operand(node.children[0]), operand(item)});
    }
  });
  return found;
}

std::vector<CapabilityQuestion> Predicate::capabilities() const {
  std::vector<CapabilityQuestion> found;
  visit(*root_, [&](const Node& node) {
    if (node.type == Type::has) found.push_back({node.text, node.capability});
  });
  return found;
}

}  // namespace espalier
