#include "rules_internal.hpp"

namespace espalier {
namespace {

constexpr TrialTrait traits[] = {
    {"training", "head.use != 'zero_shot'"},
    {"judged", "has(trial, training) and not has(gnn, scores)"},
    {"adapted", "has(trial, judged) and has(peft, needs_sites)"},
    {"messages",
     "has(trial, training) and has(gnn, graph) or has(trial, adapted) and has(peft, graph)"},
    {"edges", "has(trial, messages) and protocol.graph != 'none'"},
    {"moving_nodes",
     "has(trial, training) and (has(trial, adapted) or nodes.fuse == 'cross_attention')"},
    {"class_nodes",
     "has(trial, training) and has(gnn, graph) and protocol.graph != 'none' and nodes.class_texts "
     "> 0"},
    {"class_template", "has(trial, adapted) and has(peft, class_template)"},
    {"class_head", "head.use == 'zero_shot' or head.use == 'prompts' and not has(gnn, scores)"},
    {"class_vectors", "has(trial, class_head) or has(trial, class_nodes)"},
    {"class_texts", "has(trial, class_head) or has(trial, judged) and head.init == 'prompts'"},
    {"told_classes",
     "(has(trial, class_texts) or has(trial, class_nodes)) and not has(encoder, given)"},
    {"text_rows",
     "has(trial, training) and nodes.fuse != 'image' or has(trial, edges) and has(graph, "
     "needs_other)"},
    {"captions",
     "has(trial, text_rows) and not has(encoder, given) or has(trial, edges) and has(graph, "
     "needs_texts)"},
    {"image",
     "not has(trial, training) or nodes.fuse != 'text' or has(trial, edges) and has(graph, "
     "needs_other)"},
    {"text", "has(trial, text_rows) or has(trial, class_texts) or has(trial, class_nodes)"},
};

constexpr InertRule inert[] = {
    {"captioner", "has(trial, captions)"},
    {"graph", "has(trial, edges)"},
    {"gnn", "has(trial, training)"},
    {"nodes", "has(trial, training)"},
    {"peft", "has(trial, judged)"},
    {"train", "has(trial, judged)"},
    {"head", "head.use == 'zero_shot' or has(trial, judged) or has(trial, class_nodes)"},
    {"budget", "has(trial, adapted) and budget.trainable > 0"},
    {"tune", "has(trial, judged) and tune.candidates > 0"},
};

constexpr ImpossibleRule impossible[] = {
    {"encoder", "has(dataset, features) and not has(encoder, given)",
     "dataset/{dataset} has features in place of pictures, which encoder=given passes on, and "
     "encoder/{encoder} needs pictures"},
    {"encoder", "has(encoder, given) and not has(dataset, features)",
     "encoder/{encoder} passes on the features that a dataset has, as dataset/features does, and "
     "dataset/{dataset} has pictures"},
    {"dataset", "has(encoder, given) and has(trial, image) and not has(dataset, image_features)",
     "the trial looks at image features, and dataset/{dataset} has none"},
    {"dataset", "has(encoder, given) and has(trial, text_rows) and not has(dataset, text_features)",
     "the trial looks at text features, and dataset/{dataset} has none"},
    {"head", "has(encoder, given) and has(trial, class_texts) and not has(dataset, class_features)",
     "head.use: {head.use} compares nodes with class features, and dataset/{dataset} has none"},
    {"nodes", "has(encoder, given) and nodes.fuse == 'mean' and not has(dataset, shared_features)",
     "nodes.fuse: mean needs image and text features in one space, and those of dataset/{dataset} "
     "are not"},
    {"train", "has(encoder, given) and train.views > 0",
     "train.views: {train.views} looks at random views of pictures, and dataset/{dataset} has "
     "none"},
    {"head", "has(trial, class_texts) and not has(encoder, shared_space)",
     "head.use: {head.use} with the classes' texts needs pictures and texts in one space, and "
     "encoder/{encoder} has none"},
    {"head", "has(trial, class_texts) and has(encoder, fitted)",
     "head.use: {head.use} reads the classes' texts as they are, and encoder/{encoder} is fitted "
     "on captions first"},
    {"head", "has(trial, class_texts) and has(trial, training) and nodes.fuse == 'concat'",
     "head.use: {head.use} compares nodes with the classes' texts, and nodes.fuse: concat makes "
     "them wider"},
    {"head",
     "has(trial, class_texts) and has(trial, training) and nodes.fuse == 'cross_attention' and "
     "nodes.attend == 'both'",
     "head.use: {head.use} compares nodes with the classes' texts, and nodes.attend: both makes "
     "them wider: nodes.attend=image keeps their width"},
    {"nodes",
     "has(trial, class_nodes) and has(encoder, given) and not has(dataset, class_features)",
     "nodes.class_texts: {nodes.class_texts} makes nodes of class features, and dataset/{dataset} "
     "has none"},
    {"nodes",
     "has(trial, class_nodes) and (has(encoder, given) and not has(dataset, shared_features) or "
     "not has(encoder, shared_space))",
     "nodes.class_texts: {nodes.class_texts} joins nodes with the classes' texts, which needs "
     "pictures and texts in one space: encoder=clip has one, nodes.class_texts=0 needs none"},
    {"nodes", "has(trial, class_nodes) and has(encoder, fitted)",
     "nodes.class_texts: {nodes.class_texts} reads the classes' texts as they are, and "
     "encoder/{encoder} is fitted on captions first"},
    {"nodes",
     "has(trial, class_nodes) and (nodes.fuse == 'concat' or nodes.fuse == 'cross_attention' and "
     "nodes.attend == 'both')",
     "nodes.class_texts: {nodes.class_texts} compares nodes with the classes' texts, and "
     "nodes.fuse: {nodes.fuse} makes them wider: nodes.fuse=image, text, mean or bimodal, or "
     "nodes.attend=image, keeps their width"},
    {"protocol", "has(trial, class_nodes) and (protocol.classes == 'base' or protocol.tasks > 1)",
     "nodes.class_texts: {nodes.class_texts} knows all classes from the start, and "
     "protocol.classes: base and protocol.tasks keep some for later: nodes.class_texts=0 leaves "
     "their nodes out"},
    {"gnn",
     "has(trial, class_nodes) and has(gnn, needs_relations) and (gnn.relations < 7 or "
     "gnn.layer.relations < 7)",
     "gnn/{gnn} tells relations apart, and with nodes.class_texts: {nodes.class_texts} there are "
     "seven, those of classes being 4 to 6: relations=7"},
    {"protocol", "protocol.classes == 'base' and has(trial, training) and protocol.tasks > 1",
     "protocol.classes: base and protocol.tasks: {protocol.tasks} both divide the classes"},
    {"protocol", "protocol.classes == 'base' and not has(trial, class_head)",
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
    {"graph",
     "(has(graph, needs_other) and not has(encoder, given) or has(graph, needs_texts)) and not "
     "has(captioner, text)",
     "graph/{graph} needs captions, and captioner/{captioner} gives none"},
    {"nodes", "nodes.fuse != 'text' and not has(encoder, image)",
     "nodes.fuse: {nodes.fuse} needs image features, and encoder/{encoder} has no image tower"},
    {"nodes", "nodes.fuse != 'image' and not has(encoder, text)",
     "nodes.fuse: {nodes.fuse} needs text features, and encoder/{encoder} has no text tower"},
    {"nodes", "nodes.fuse != 'image' and not has(encoder, given) and not has(captioner, text)",
     "nodes.fuse: {nodes.fuse} needs captions, and captioner/{captioner} gives none"},
    {"captioner", "has(captioner, needs_attributes) and not has(dataset, attributes)",
     "captioner/{captioner} needs attributes, and dataset/{dataset} has none"},
    {"captioner", "has(captioner, needs_captions) and not has(dataset, captions)",
     "captioner/{captioner} needs captions, and dataset/{dataset} has none"},
    {"nodes", "nodes.fuse == 'mean' and not has(encoder, shared_space)",
     "nodes.fuse: mean needs image and text features in one space, and encoder/{encoder} has two"},
    {"peft", "has(peft, needs_sites) and not has(encoder, sites)",
     "peft/{peft} attaches to sites, and encoder/{encoder} has none"},
    {"peft", "has(trial, class_template) and not has(trial, class_head)",
     "peft/{peft} learns what the encoder is told of the classes, and head.use: {head.use} does "
     "not "
     "listen: head.use: prompts does"},
    {"peft", "has(peft, needs_class_texts) and not has(trial, class_head)",
     "peft/{peft} works on class vectors, which head.use=prompts takes from the classes' texts, "
     "and head.use: {head.use} has none"},
    {"gnn",
     "has(trial, adapted) and has(peft, fits_features) and not (has(gnn, identity_at_init) or "
     "gnn.layers == 0)",
     "peft/{peft} is fitted to the features that the encoder gives, and gnn/{gnn} changes them "
     "before anything is trained: gnn=mlp with gnn.layers=0 leaves them as they are, gnn=ga_net "
     "begins so"},
    {"train", "train.ewc > 0 and train.ewc_source == 'previous_tasks' and protocol.tasks < 2",
     "train.ewc holds parameters to an earlier task, and there is none: protocol.tasks=2 or more "
     "brings classes one task after another, train.ewc_source=zero_shot takes the classification "
     "that training begins with"},
    {"train",
     "train.ewc > 0 and train.ewc_source == 'zero_shot' and (head.use != 'prompts' or not "
     "(has(gnn, identity_at_init) or gnn.layers == 0) or has(trial, adapted) and not has(peft, "
     "identity_at_init))",
     "train.ewc_source: zero_shot needs a start that is zero-shot classification, which "
     "head.use=prompts gives behind a network and a method that begin as the identity, such as "
     "gnn=ga_net; here are head.use: {head.use}, gnn/{gnn} and peft/{peft}"},
    {"protocol", "protocol.tasks > 1 and protocol.graph == 'transductive' and has(trial, edges)",
     "protocol.tasks brings classes one task after another, and protocol.graph: transductive knows "
     "all images from the start"},
    {"protocol", "protocol.tasks > 1 and has(trial, adapted) and has(peft, needs_features)",
     "protocol.tasks brings classes one task after another, and peft/{peft} is fitted to all "
     "training images at once"},
    {"protocol",
     "protocol.graph_refresh > 0 and protocol.graph == 'transductive' and has(trial, edges) and "
     "has(trial, moving_nodes)",
     "protocol.graph_refresh makes the graph anew of what is learned, and under protocol.graph: "
     "transductive that would go through test images"},
    {"protocol",
     "protocol.graph in ['inductive_batch', 'transductive'] and has(trial, adapted) and has(peft, "
     "graph)",
     "peft/{peft} has its messages from the training images as the frozen encoder sees them, and "
     "under protocol.graph: {protocol.graph} they would come from queries as well: "
     "protocol.graph=inductive_attach attaches each by itself, and gnn=ga_net behind the encoder "
     "works under any protocol"},
    {"protocol",
     "protocol.tasks > 1 and has(trial, adapted) and has(peft, graph) and has(trial, edges)",
     "protocol.tasks brings classes one task after another, and peft/{peft} has its messages from "
     "all training images from the start: gnn=ga_net behind the encoder has them from those of "
     "the tasks so far"},
    {"protocol",
     "protocol.graph_refresh > 0 and has(trial, adapted) and has(peft, graph) and has(trial, "
     "edges)",
     "protocol.graph_refresh makes the graph anew of what is learned, and peft/{peft} has its "
     "messages from the frozen encoder: protocol.graph_refresh=0 keeps its graph"},
    {"nodes",
     "nodes.fuse == 'bimodal' and has(trial, adapted) and has(peft, graph) and has(trial, edges)",
     "peft/{peft} sends messages between images, a node each, and nodes.fuse: bimodal has two "
     "nodes a sample: with nodes.fuse=mean or concat the edges follow from both modalities"},
    {"graph",
     "has(trial, adapted) and has(peft, needs_relations) and has(trial, edges) and not has(graph, "
     "relations)",
     "the network in peft/{peft} tells relations apart, and the edges of graph/{graph} have one"},
    {"gnn", "protocol.graph == inductive_attach and has(gnn, graph) and not has(gnn, bipartite)",
     "protocol.graph: {protocol.graph} needs a network that can attach queries, and gnn/{gnn} "
     "cannot"},
    {"gnn",
     "has(trial, training) and has(gnn, graph) and (gnn.norm == 'batch' or gnn.layer.norm == "
     "'batch') and (protocol.graph in ['none', 'inductive_attach'] or (graph.use == none and "
     "protocol.graph == inductive_batch and nodes.fuse != 'bimodal' and not has(trial, "
     "class_nodes)))",
     "gnn.norm: batch normalises by the states of all training nodes, and under protocol.graph: "
     "{protocol.graph} a query sees its neighbours at most: gnn.norm=layer needs none"},
    {"gnn",
     "has(trial, edges) and has(gnn, needs_relations) and not (nodes.fuse == 'bimodal' or "
     "has(graph, relations) or has(trial, class_nodes))",
     "gnn/{gnn} tells relations apart, and edges between nodes of one kind have one: nodes.fuse: "
     "bimodal has four, images and texts being nodes of their own"},
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
