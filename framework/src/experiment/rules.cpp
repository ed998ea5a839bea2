#include "rules_internal.hpp"

namespace espalier {
namespace {

constexpr TrialTrait traits[] = {
    {"training", "head.use != 'zero_shot'"},
    {"adapted", "has(trial, training) and has(peft, needs_sites)"},
    {"edges", "has(trial, training) and has(gnn, graph) and protocol.graph != 'none'"},
    {"class_template", "has(trial, adapted) and has(peft, class_template)"},
    {"class_vectors", "head.use in ['prompts', 'zero_shot']"},
    {"class_texts", "has(trial, class_vectors) or head.init == 'prompts'"},
    {"captions",
     "has(trial, training) and nodes.fuse != 'image' or has(trial, edges) and (has(graph, "
     "needs_other) or has(graph, needs_texts))"},
    {"image",
     "not has(trial, training) or nodes.fuse != 'text' or has(trial, edges) and has(graph, "
     "needs_other)"},
    {"text",
     "has(trial, training) and nodes.fuse != 'image' or has(trial, edges) and has(graph, "
     "needs_other) or has(trial, class_texts)"},
};

constexpr InertRule inert[] = {
    {"captioner", "has(trial, captions)"},
    {"graph", "has(trial, edges)"},
    {"gnn", "has(trial, training)"},
    {"nodes", "has(trial, training)"},
    {"peft", "has(trial, training)"},
    {"train", "has(trial, training)"},
    {"budget", "has(trial, adapted) and budget.trainable > 0"},
};

constexpr ImpossibleRule impossible[] = {
    {"head", "has(trial, class_texts) and not has(encoder, shared_space)",
     "head.use: {head.use} with the classes' texts needs pictures and texts in one space, and "
     "encoder/{encoder} has none"},
    {"head", "has(trial, class_texts) and has(encoder, fitted)",
     "head.use: {head.use} reads the classes' texts as they are, and encoder/{encoder} is fitted "
     "on captions first"},
    {"head", "has(trial, class_texts) and has(trial, training) and nodes.fuse == 'concat'",
     "head.use: {head.use} compares nodes with the classes' texts, and nodes.fuse: concat makes "
     "them wider"},
    {"protocol", "protocol.classes == 'base' and not has(trial, class_vectors)",
     "protocol.classes: base asks for classes that were not learnt, and head.use: {head.use} has "
     "scores for those alone that were: head.use: prompts judges by texts"},
    {"protocol", "protocol.classes == 'base' and has(trial, adapted) and has(peft, class_bound)",
     "protocol.classes: base asks for classes that were not learnt, and peft/{peft} trains "
     "something for each class that was"},
    {"protocol",
     "protocol.classes == 'base' and has(trial, edges) and protocol.graph == 'transductive'",
     "protocol.classes: base asks for classes that were not learnt, and protocol.graph: "
     "transductive has the test images in the graph that is learnt from"},
    {"graph", "has(graph, needs_other) and not (has(encoder, image) and has(encoder, text))",
     "graph/{graph} compares images and texts, and encoder/{encoder} has not both towers"},
    {"graph", "(has(graph, needs_other) or has(graph, needs_texts)) and not has(captioner, text)",
     "graph/{graph} needs captions, and captioner/{captioner} gives none"},
    {"nodes", "nodes.fuse != 'text' and not has(encoder, image)",
     "nodes.fuse: {nodes.fuse} needs image features, and encoder/{encoder} has no image tower"},
    {"nodes", "nodes.fuse != 'image' and not has(encoder, text)",
     "nodes.fuse: {nodes.fuse} needs text features, and encoder/{encoder} has no text tower"},
    {"nodes", "nodes.fuse != 'image' and not has(captioner, text)",
     "nodes.fuse: {nodes.fuse} needs captions, and captioner/{captioner} gives none"},
    {"captioner", "has(captioner, needs_attributes) and not has(dataset, attributes)",
     "captioner/{captioner} needs attributes, and dataset/{dataset} has none"},
    {"captioner", "has(captioner, needs_captions) and not has(dataset, captions)",
     "captioner/{captioner} needs captions, and dataset/{dataset} has none"},
    {"nodes", "nodes.fuse == 'mean' and not has(encoder, shared_space)",
     "nodes.fuse: mean needs image and text features in one space, and encoder/{encoder} has two"},
    {"peft", "has(peft, needs_sites) and not has(encoder, sites)",
     "peft/{peft} attaches to sites, and encoder/{encoder} has none"},
    {"peft", "has(trial, class_template) and not has(trial, class_vectors)",
     "peft/{peft} learns what the encoder is told of the classes, and head.use: {head.use} does "
     "not "
     "listen: head.use: prompts does"},
    {"peft", "has(peft, needs_class_texts) and not has(trial, class_vectors)",
     "peft/{peft} works on class vectors, which head.use=prompts takes from the classes' texts, "
     "and head.use: {head.use} has none"},
    {"gnn",
     "has(trial, adapted) and has(peft, fits_features) and not (has(gnn, identity_at_init) or "
     "gnn.layers == 0)",
     "peft/{peft} is fitted to the features that the encoder gives, and gnn/{gnn} changes them "
     "before anything is trained: gnn=mlp with gnn.layers=0 leaves them as they are, gnn=ga_net "
     "begins so"},
    {"gnn", "protocol.graph == inductive_attach and has(gnn, graph) and not has(gnn, bipartite)",
     "protocol.graph: {protocol.graph} needs a network that can attach queries, and gnn/{gnn} "
     "cannot"},
};

}  // namespace

std::span<const TrialTrait> trial_traits() { return traits; }
std::span<const InertRule> inert_rules() { return inert; }
std::span<const ImpossibleRule> impossible_rules() { return impossible; }

std::vector<std::string> trait_names() {
  std::vector<std::string> names;
  for (const TrialTrait& trait : traits) names.emplace_back(trait.name);
  return names;
}

PredicateScope narrowed(const PredicateScope& scope, std::string_view tower) {
  return {.value = scope.value,
          .has = [&scope, tower](std::string_view kind, std::string_view capability) {
            const bool of_a_tower = capability == "image" || capability == "text";
            if (kind == "trial" && of_a_tower && capability != tower) return false;
            return scope.has(kind, capability);
          }};
}

}  // namespace espalier
