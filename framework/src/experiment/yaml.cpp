#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "yaml_internal.hpp"

namespace espalier {
namespace {

using Type = YamlNode::Type;

constexpr std::size_t deepest_yaml = 32;
constexpr std::int64_t most_nodes = 200'000;
constexpr std::int64_t most_bytes = std::int64_t{16} << 20;  // of text, aliases written out

// What yaml-cpp would misread or explain badly.
void check_lines(std::string_view text, const std::string& file) {
  Problems problems;
  for (int line = 1; !text.empty(); ++line) {
    const std::string_view current = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), current.size() + 1));
    const std::string_view indent = current.substr(0, current.find_first_not_of(" \t"));
    const auto add = [&](std::string what, std::string fix) {
      problems.add({.what = std::move(what),
                    .where = place(file, line),
                    .expected = {},
                    .found = {},
                    .fix = std::move(fix)});
    };
    if (indent.find('\t') != std::string_view::npos) {
      add("a line is indented with a tab", "use spaces");
    }
    if (!is_utf8(current)) add("a line is not UTF-8", "save the file as UTF-8");
    if (current.find('\0') != std::string_view::npos) {
      add("a line holds a zero byte", "save the file as UTF-8");
    }
    if (problems.size() >= 10) break;
  }
  problems.throw_if_any();
}

int open_brackets(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '(') -
                          std::count(text.begin(), text.end(), ')'));
}

// How large a node is with all below it.
struct Extent {
  std::int64_t nodes = 0;
  std::int64_t bytes = 0;
  std::size_t depth = 0;  // of lists and mappings

  void add(const Extent& other) {
    nodes += other.nodes;
    bytes += other.bytes;
    depth = std::max(depth, other.depth);
  }
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  [[nodiscard]] bool empty() const { return !root_; }
  YamlNode take() { return std::move(*root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_) fail("a second document begins", mark.line + 1, "keep one experiment a file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish({.type = Type::null, .line = mark.line + 1}, {.nodes = 1}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) fail("an anchor contains itself", mark.line + 1);
    const Anchor& copied = known->second;
    if (frames_.size() + copied.extent.depth > deepest_yaml) fail(too_deep, mark.line + 1);
    count(copied.extent, mark.line + 1);
    finish(copied.node, copied.extent, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag != "?" && tag != "!") refuse_tag(mark, tag);
    const Extent extent{.nodes = 1, .bytes = static_cast<std::int64_t>(value.size())};
    finish({.type = Type::scalar, .text = value, .plain = tag == "?", .line = mark.line + 1},
           extent, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Type::list, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Type::map, mark, tag, anchor, style);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    bool flow = false;
    YAML::anchor_t anchor = 0;
    std::optional<YamlNode> key;
    Extent extent;
  };
  struct Anchor {
    YamlNode node;
    Extent extent;
  };
  static constexpr const char* too_deep = "nested more than 32 levels deep";

  [[noreturn]] void fail(std::string what, int line, std::string fix = {}) const {
    throw Error({.what = std::move(what),
                 .where = place(file_, line),
                 .expected = {},
                 .found = {},
                 .fix = std::move(fix)});
  }

  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    fail("tags are not supported: \"" + tag + "\"", mark.line + 1, "leave it out");
  }

  void open(Type type, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    if (tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    if (frames_.size() == deepest_yaml) fail(too_deep, mark.line + 1);
    frames_.push_back({.node = {.type = type, .line = mark.line + 1},
                       .flow = style == YAML::EmitterStyle::Flow,
                       .anchor = anchor,
                       .key = {},
                       .extent = {.nodes = 1}});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.flow) join_functions(frame.node);
    refuse_twins(frame.node);
    ++frame.extent.depth;
    finish(std::move(frame.node), frame.extent, frame.anchor);
  }

  // Whatever is made, by reading it or by copying it, counts.
  void count(const Extent& extent, int line) {
    made_.add(extent);
    if (made_.nodes > most_nodes) fail("more than 200,000 values", line);
    if (made_.bytes > most_bytes) fail("more than 16 MiB of text", line);
  }

  void finish(YamlNode node, const Extent& extent, YAML::anchor_t anchor) {
    const bool read = node.items.empty() && node.members.empty();
    if (read) count({.nodes = 1, .bytes = extent.bytes}, node.line);
    if (anchor != 0) {
      count(extent, node.line);
      anchors_[anchor] = {node, extent};
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    frame.extent.add(extent);
    if (frame.node.type == Type::list) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.key) {
      frame.node.members.emplace_back(std::move(*frame.key), std::move(node));
      frame.key.reset();
    } else {
      if (node.type != Type::scalar) fail("a key is not a word", node.line);
      frame.key = std::move(node);
    }
  }

  // In flow collections YAML ends a value at every comma, inside the brackets of a function too.
  static void join_functions(YamlNode& node) {
    auto& items = node.items;
    for (std::size_t i = 0; i < items.size(); ++i) {
      while (cut_short(items[i]) && i + 1 < items.size() && items[i + 1].type == Type::scalar) {
        items[i].text += ", " + items[i + 1].text;
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
    auto& members = node.members;
    for (std::size_t i = 0; i < members.size(); ++i) {
      YamlNode& value = members[i].second;
      while (cut_short(value) && i + 1 < members.size() &&
             members[i + 1].second.type == Type::null) {
        value.text += ", " + members[i + 1].first.text;
        members.erase(members.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }

  static bool cut_short(const YamlNode& node) {
    return node.type == Type::scalar && node.plain && open_brackets(node.text) > 0;
  }

  void refuse_twins(const YamlNode& node) const {
    std::set<std::string_view> seen;
    for (const auto& [key, value] : node.members) {
      if (!seen.insert(key.text).second) {
        fail("the key \"" + key.text + "\" is there twice", key.line, "keep one of them");
      }
    }
  }

  const std::string& file_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchor> anchors_;
  std::optional<YamlNode> root_;
  Extent made_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto it = std::find_if(members.begin(), members.end(),
                               [&](const auto& member) { return member.first.text == key; });
  return it == members.end() ? nullptr : &it->second;
}

std::string place(const std::string& file, int line) {
  return line == 0 ? file : file + ":" + std::to_string(line);
}

YamlNode parse_yaml(std::string_view text, const std::string& file) try {
  check_lines(text, file);
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  TreeBuilder tree(file);
  while (parser.HandleNextDocument(tree)) {
  }
  return tree.empty() ? YamlNode{} : tree.take();
} catch (const YAML::Exception& error) {
  throw Error({.what = "not valid YAML: " + error.msg,
               .where = place(file, error.mark.line + 1) + ", column " +
                        std::to_string(error.mark.column + 1),
               .expected = {},
               .found = {},
               .fix = {}});
}

}  // namespace espalier
