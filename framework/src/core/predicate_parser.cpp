#include <algorithm>
#include <charconv>
#include <espalier/core/error.hpp>
#include <functional>
#include <initializer_list>
#include <utility>

#include "predicate_internal.hpp"

namespace espalier {
namespace {

using Node = Predicate::Node;
using Type = Node::Type;

constexpr std::size_t longest = 16384;
constexpr int deepest = 100;

bool starts_word(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool in_word(char c) { return starts_word(c) || is_digit(c) || c == '.'; }

class PredicateParser {
 public:
  PredicateParser(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  Node parse() {
    if (text_.size() > longest) fail("a text of at most 16 KiB");
    Node root = either();
    skip_space();
    if (at_ < text_.size()) fail("an operator or the end");
    return root;
  }

 private:
  [[noreturn]] void fail(std::string expected) const {
    const std::string rest(text_.substr(at_, 20));
    throw Error({.what = "a condition cannot be read",
                 .where = std::string(origin_),
                 .expected = std::move(expected),
                 .found = (rest.empty() ? "the end" : "\"" + rest + "\"") + " at column " +
                          std::to_string(at_ + 1) + " of: " + std::string(text_.substr(0, 200)),
                 .fix = {}});
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }

  bool take(std::string_view symbol) {
    skip_space();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    const std::size_t end = at_ + symbol.size();
    if (starts_word(symbol[0]) && end < text_.size() && in_word(text_[end])) return false;
    at_ = end;
    return true;
  }

  void expect(std::string_view symbol) {
    if (!take(symbol)) fail("\"" + std::string(symbol) + "\"");
  }

  Node either() {
    if (++depth_ > deepest) fail("at most 100 levels");
    Node left = both();
    while (take("or")) left = join(Type::either, "or", std::move(left), both());
    --depth_;
    return left;
  }

  Node both() {
    Node left = inverted();
    while (take("and")) left = join(Type::both, "and", std::move(left), inverted());
    return left;
  }

  Node inverted() {
    bool invert = false;
    while (take("not")) invert = !invert;
    return invert ? Node{Type::invert, "not", {}, {}, {compare()}} : compare();
  }

  Node compare() {
    Node left = sum();
    for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">", "in"}) {
      if (take(op)) return join(Type::compare, op, std::move(left), sum());
    }
    if (!take("not")) return left;
    expect("in");
    return Node{Type::invert, "not", {}, {}, {join(Type::compare, "in", std::move(left), sum())}};
  }

  Node sum() {
    return chain({"+", "-"}, [this] { return product(); });
  }
  Node product() {
    return chain({"*", "/", "%"}, [this] { return atom(); });
  }

  Node chain(std::initializer_list<std::string_view> operators, const std::function<Node()>& next) {
    Node left = next();
    for (;;) {
      const auto* op = std::find_if(operators.begin(), operators.end(),
                                    [this](std::string_view symbol) { return take(symbol); });
      if (op == operators.end()) return left;
      left = join(Type::arithmetic, *op, std::move(left), next());
    }
  }

  static Node join(Type type, std::string_view op, Node left, Node right) {
    Node node{type, std::string(op), {}, {}, {}};
    node.children.push_back(std::move(left));
    node.children.push_back(std::move(right));
    return node;
  }

  Node atom() {
    skip_space();
    if (at_ == text_.size()) fail("a value");
    const char c = text_[at_];
    if (take("(")) {
      Node inner = either();
      expect(")");
      return inner;
    }
    if (take("[")) return list();
    if (take("-")) return negated();
    if (c == '\'' || c == '"') return quoted(c);
    if (is_digit(c) || c == '.') return number();
    if (starts_word(c)) return named();
    fail("a value");
  }

  Node negated() {
    if (++depth_ > deepest) fail("at most 100 levels");
    Node node{Type::negate, "-", {}, {}, {atom()}};
    --depth_;
    return node;
  }

  Node list() {
    if (++depth_ > deepest) fail("at most 100 levels");
    Node node{Type::list, {}, {}, {}, {}};
    while (!take("]")) {
      if (!node.children.empty()) expect(",");
      node.children.push_back(sum());
    }
    --depth_;
    return node;
  }

  Node quoted(char quote) {
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a closing quotation mark");
    const std::string text(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return {Type::literal, {}, {}, text, {}};
  }

  Node number() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    const bool whole = std::all_of(begin, end, is_digit);
    if (error != std::errc()) fail("a number");
    if (whole && value >= static_cast<double>(largest_exact)) fail("a whole number below 2^53");
    at_ += static_cast<std::size_t>(end - begin);
    return {Type::literal, {}, {}, value, {}};
  }

  std::string word() {
    skip_space();
    const std::size_t begin = at_;
    if (at_ < text_.size() && starts_word(text_[at_])) {
      while (at_ < text_.size() && in_word(text_[at_])) ++at_;
    }
    if (at_ == begin) fail("a word");
    return std::string(text_.substr(begin, at_ - begin));
  }

  Node named() {
    const std::size_t begin = at_;
    std::string name = word();
    if (name == "true" || name == "false") return {Type::literal, {}, {}, name == "true", {}};
    if (name == "null") return {Type::literal, {}, {}, nullptr, {}};
    if (name == "has" && take("(")) {
      Node node{Type::has, word(), {}, {}, {}};
      expect(",");
      node.capability = word();
      expect(")");
      return node;
    }
    if (name == "and" || name == "or" || name == "in" || name == "not") {
      at_ = begin;
      fail("a value");
    }
    return {Type::word, std::move(name), {}, {}, {}};
  }

  std::string_view text_;
  std::string_view origin_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Predicate::Node parse_predicate(std::string_view text, std::string_view origin) {
  return PredicateParser(text, origin).parse();
}

}  // namespace espalier
