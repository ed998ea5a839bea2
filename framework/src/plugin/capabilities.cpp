#include <espalier/plugin/capabilities.hpp>

#include <map>

namespace espalier {

const std::vector<std::string>& known_capabilities(std::string_view kind) {
  static const std::map<std::string_view, std::vector<std::string>> known = {
      {"dataset", {"attributes", "captions", "features"}},
      {"captioner",
       {"text", "needs_attributes", "needs_captions", "needs_label", "seeded", "recorded"}},
      {"encoder", {"image", "text", "shared_space", "sites", "fitted", "given"}},
      {"graph",
       {"edge_weight", "symmetric", "seeded", "needs_other", "needs_texts", "needs_ids",
        "relations"}},
      {"gnn",
       {"graph", "edge_weight", "bipartite", "node_rows", "scores", "needs_relations",
        "identity_at_init"}},
      {"peft",
       {"needs_sites", "needs_features", "class_template", "needs_class_texts", "fits_features",
        "class_bound", "tuned", "identity_at_init", "mergeable", "needs_image", "needs_text",
        "on_linear", "on_norm", "on_branch", "on_tokens", "on_feature", "graph", "edge_weight",
        "needs_relations"}},
  };
  static const std::vector<std::string> none;
  const auto found = known.find(kind);
  return found == known.end() ? none : found->second;
}

bool asked_of_all(std::string_view capability) {
  return capability == "identity_at_init" || capability == "mergeable" || capability == "node_rows";
}

const std::vector<std::string>& data_capabilities() {
  static const std::vector<std::string> all = {"official_val",   "official_test",
                                               "image_features", "text_features",
                                               "class_features", "shared_features"};
  return all;
}

}  // namespace espalier
