// YAML as an experiment may use it: a tree with the line of everything.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

struct YamlNode {
  enum class Type { null, scalar, list, map };
  Type type = Type::null;
  std::string text = {};  // of a scalar
  bool plain = false;     // a scalar without quotes
  int line = 0;           // from 1
  std::vector<YamlNode> items = {};
  std::vector<std::pair<YamlNode, YamlNode>> members = {};  // keys are scalars, each once

  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

// One document that may be hostile. Anchors and aliases are followed, up to a size. A comma between
// the brackets of a function does not end a value: `{seed: range(0, 5)}` has one member. Throws
// Error with file and line on what is not YAML, is not UTF-8, is indented with tabs, has a key
// twice, a tag, a second document, more than 32 levels, more than 200,000 values or 16 MiB of text
// with all aliases written out.
[[nodiscard]] YamlNode parse_yaml(std::string_view text, const std::string& file);

// `file:line`.
[[nodiscard]] std::string place(const std::string& file, int line);

}  // namespace espalier
