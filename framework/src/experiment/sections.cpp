#include "experiment/sections.hpp"

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

// Where head.prompts says what the encoder is told of the classes.
constexpr std::string_view told = "has(trial, told_classes) and not has(trial, class_template)";

std::string told_if(const std::string& condition) {
  return std::string(told) + " and " + condition;
}

}  // namespace

void bind(Schema<ProtocolParams>& s) {
  s.field("shots", &ProtocolParams::shots)
      .range(0, 1e6)
      .doc("Labelled training images a class, 0 for all");
  s.field("val_shots", &ProtocolParams::val_shots)
      .range(-1, 1e6)
      .at_most("shots")
      .doc(
          "Validation images a class, never more than shots; 0 for all, -1 for 4 at most, or all "
          "where shots is 0")
      .source("CoOp: min(shots, 4)");
  s.field("graph", &ProtocolParams::graph)
      .choices({"none", "inductive_attach", "inductive_batch", "transductive"})
      .only_if("has(trial, messages)")
      .doc("Which nodes the graph may hold when a query is classified");
  s.field("val_fraction", &ProtocolParams::val_fraction)
      .min(0)
      .below(1)
      .only_if("not has(dataset, official_val)")
      .doc(
          "Share of each class for validation, where the dataset has no split of its own; 0 for "
          "none");
  s.field("test_fraction", &ProtocolParams::test_fraction)
      .above(0)
      .below(1)
      .only_if("not has(dataset, official_test)")
      .doc("Share of each class for testing, where the dataset has no split of its own");
  s.field("split_seed", &ProtocolParams::split_seed)
      .min(0)
      .only_if("not has(dataset, official_val) or not has(dataset, official_test)")
      .doc("Seed of the split, where the dataset has none of its own");
  s.field("graph_refresh", &ProtocolParams::graph_refresh)
      .range(0, 1e6)
      .only_if("has(trial, edges) and has(trial, moving_nodes)")
      .doc(
          "Epochs after which the graph is made anew of the nodes as training has left them, 0 for "
          "never");
  s.field("tasks", &ProtocolParams::tasks)
      .range(1, 1000)
      .only_if("has(trial, training)")
      .doc("Parts of the classes that are learned one after another, drawn by the trial's seed");
  s.field("scenario", &ProtocolParams::scenario)
      .choices({"class", "task"})
      .only_if("has(trial, training) and tasks > 1")
      .doc(
          "What a photo may be: any class of the tasks so far, or one of its own task, which is "
          "told")
      .source("van de Ven and Tolias 2019");
  s.field("classes", &ProtocolParams::classes)
      .choices({"all", "base"})
      .only_if("classes != 'all'")
      .doc("Classes to learn: all, or the first half; then the other half is tested as new classes")
      .source("base to new: Zhou et al. 2022, CoCoOp");
  s.check("val_fraction + test_fraction < 1",
          "val_fraction and test_fraction leave nothing to train on");
}

void bind(Schema<NodesParams>& s) {
  s.field("fuse", &NodesParams::fuse)
      .choices({"image", "text", "mean", "concat", "bimodal", "cross_attention"})
      .doc("What a node holds: one modality, both together, or a node for each");
  s.field("normalize", &NodesParams::normalize)
      .doc("Scale each feature row to length 1 before fusing");
  s.field("predict", &NodesParams::predict)
      .choices({"image", "text", "both"})
      .only_if("fuse == 'bimodal'")
      .doc("Node whose state the class comes from, both for the mean of the two");
  s.field("attend", &NodesParams::attend)
      .choices({"image", "text", "both"})
      .only_if("fuse == 'cross_attention'")
      .doc("Features that a node holds, with what they attend to in the other modality's");
  s.field("tokens", &NodesParams::tokens)
      .range(1, 4096)
      .only_if("fuse == 'cross_attention'")
      .doc("Tokens that a feature row is mapped to; with 1 there is nothing to choose from");
  s.field("token_width", &NodesParams::token_width)
      .range(1, 65536)
      .only_if("fuse == 'cross_attention'")
      .doc("Columns of a token");
  s.field("heads", &NodesParams::heads)
      .range(1, 1024)
      .only_if("fuse == 'cross_attention'")
      .doc("Heads of the attention, among which the columns of a token are divided");
  s.field("class_texts", &NodesParams::class_texts)
      .range(0, 1e6)
      .only_if("has(trial, class_nodes)")
      .doc(
          "Every class has a node with what the encoder says of its texts, and each node is joined "
          "with so many that it is most similar to; 0: classes have no nodes")
      .source("GraphAdapter, Li et al. 2023");
  s.check("token_width % heads == 0", "token_width must be a multiple of heads");
}

void bind(Schema<HeadParams>& s) {
  s.field("use", &HeadParams::use)
      .choices({"linear", "cosine", "prompts", "zero_shot"})
      .doc(
          "Classifier on the node states; prompts compares them with what the encoder says of the "
          "classes' texts, zero_shot so compares pictures and trains nothing")
      .source("zero_shot: Radford et al. 2021");
  s.field("scale", &HeadParams::scale)
      .above(0)
      .max(1000)
      .only_if("use == 'cosine' and init == 'random'")
      .doc("Initial factor on the cosines, trained; with init: prompts it is the encoder's own");
  s.field("init", &HeadParams::init)
      .choices({"random", "prompts"})
      .only_if("use in ['linear', 'cosine'] and init != 'random'")
      .doc("Start at random, or from what the encoder says of the classes' texts");
  s.field("prompts", &HeadParams::prompts)
      .choices({"auto", "simple", "general", "oxford_pets", "flowers102", "food101", "template",
                "file", "phrases"})
      .only_if(told)
      .doc(
          "Published templates by name, your own template, or a file of sentences or phrases; auto "
          "takes "
          "what the dataset says of its classes, else the templates published for it, else simple");
  s.field("prompt", &HeadParams::prompt)
      .only_if(told_if("prompts == 'template'"))
      .doc("The template, with {} for the class");
  s.field("descriptions", &HeadParams::descriptions)
      .only_if(told_if("prompts in ['file', 'phrases']"))
      .doc("JSON file, {class: [sentence or phrase, ...]}");
  s.field("phrase_prompt", &HeadParams::phrase_prompt)
      .only_if(told_if("prompts == 'phrases'"))
      .doc("The template of phrases, with {class} and {phrase}")
      .source("Menon and Vondrick 2023");
  s.field("average", &HeadParams::average)
      .choices({"features", "scores"})
      .only_if("use in ['prompts', 'zero_shot'] and not has(trial, class_template)")
      .doc("What is averaged over the texts of a class")
      .source("features: Radford et al. 2021; scores: Menon and Vondrick 2023");
  s.check(
      "use not in ['prompts', 'zero_shot'] and init != 'prompts' or not (prompts in ['file', "
      "'phrases']) or descriptions "
      "!= ''",
      "prompts: file and phrases need the file's path in descriptions");
}

void bind(Schema<TrainParams>& s) {
  s.field("epochs", &TrainParams::epochs).range(0, 1e6).doc("Passes over the training nodes");
  s.field("batch_size", &TrainParams::batch_size)
      .range(0, 1e6)
      .doc("Labelled nodes an update, 0 for all at once");
  s.field("preset", &TrainParams::preset)
      .choices({"none", "paper"})
      .only_if("has(trial, adapted) and preset != 'none'")
      .doc(
          "With paper, settings of this section that are not given are those that the PEFT method "
          "was published with; espalier plugins show says them");
  s.field("optimizer", &TrainParams::optimizer)
      .choices({"adamw", "adam", "sgd"})
      .only_if("optimizer != 'adamw'")
      .doc("Optimiser; weight decay is decoupled in adamw, part of the gradient in the others")
      .source("Loshchilov and Hutter 2019; Kingma and Ba 2015");
  s.field("lr", &TrainParams::lr).above(0).max(100).doc("Peak learning rate");
  s.field("weight_decay", &TrainParams::weight_decay).range(0, 10).doc("Weight decay");
  s.field("momentum", &TrainParams::momentum)
      .min(0)
      .below(1)
      .only_if("optimizer == 'sgd'")
      .doc("Share of the last step that is taken again");
  s.field("beta1", &TrainParams::beta1)
      .min(0)
      .below(1)
      .only_if("optimizer != 'sgd'")
      .doc("Decay of the mean gradient");
  s.field("beta2", &TrainParams::beta2)
      .min(0)
      .below(1)
      .only_if("optimizer != 'sgd'")
      .doc("Decay of the squared gradient");
  s.field("eps", &TrainParams::eps)
      .above(0)
      .max(1)
      .only_if("optimizer != 'sgd'")
      .doc("Added to the denominator of adam and adamw");
  s.field("schedule", &TrainParams::schedule)
      .choices({"cosine", "constant"})
      .doc("Learning rate after the warm-up");
  s.field("warmup", &TrainParams::warmup)
      .min(0)
      .below(1)
      .doc("Share of the updates in which the rate rises linearly from 0");
  s.field("label_smoothing", &TrainParams::label_smoothing)
      .min(0)
      .below(1)
      .doc("Share of the target spread evenly over all classes");
  s.field("patience", &TrainParams::patience)
      .range(0, 1e6)
      .only_if("select == 'best_val'")
      .doc("Stop after so many epochs without a better validation top-1, 0 for never");
  s.field("clip_norm", &TrainParams::clip_norm)
      .range(0, 1e9)
      .doc("Largest norm of all gradients together, 0 for no limit");
  s.field("ewc", &TrainParams::ewc)
      .range(0, 1e12)
      .doc(
          "Factor lambda of elastic weight consolidation, which holds parameters to what an "
          "earlier "
          "task made of them; 0 for none")
      .source("Kirkpatrick et al. 2017");
  s.field("ewc_source", &TrainParams::ewc_source)
      .choices({"previous_tasks", "zero_shot"})
      .only_if("ewc > 0")
      .doc(
          "The earlier task: each that protocol.tasks has brought before, or the zero-shot "
          "classification that training begins with");
  s.field("ewc_fisher", &TrainParams::ewc_fisher)
      .choices({"expected", "sampled", "empirical"})
      .only_if("ewc > 0")
      .doc(
          "Labels of the Fisher information: all by the model's own probabilities, one drawn from "
          "them, or those that are given")
      .source("Kunstner, Balles and Hennig 2019");
  s.field("ewc_samples", &TrainParams::ewc_samples)
      .range(0, 1e9)
      .only_if("ewc > 0")
      .doc("Training images that the Fisher information is taken of, drawn, 0 for all");
  s.field("select", &TrainParams::select)
      .choices({"best_val", "last"})
      .doc(
          "Epoch whose parameters are judged: the best by validation top-1, which is the last "
          "where there are no validation images, or the last");
  s.field("views", &TrainParams::views)
      .range(0, 1000)
      .only_if("has(trial, image)")
      .doc(
          "Random views that each training picture is looked at in, one of them an epoch, cropped "
          "and turned over; 0 for the picture as it is")
      .source("CoOp's transforms, drawn once");
  s.field("view_scale", &TrainParams::view_scale)
      .above(0)
      .max(1)
      .only_if("has(trial, image) and views > 0")
      .doc("Least share of the picture's area that a view shows")
      .source("Tip-Adapter");
  s.field("view_seed", &TrainParams::view_seed)
      .min(0)
      .only_if("has(trial, image) and views > 0")
      .doc("Seed of the views");
  s.field("chunk", &TrainParams::chunk)
      .range(1, 65536)
      .only_if("has(trial, adapted)")
      .doc("Pictures or texts that a pass keeps the tape of at a time, for methods in an encoder");
  s.field("activations", &TrainParams::activations)
      .choices({"float32", "float16"})
      .only_if("has(trial, adapted)")
      .doc("Type in which what enters the trained layers is kept");
}

void bind(Schema<BudgetParams>& s) {
  s.field("trainable", &BudgetParams::trainable)
      .range(0, 1e12)
      .only_if("trainable > 0")
      .doc(
          "Parameters that the PEFT method trains at most: its rank, bottleneck or the like is set "
          "to come as close as it can; 0 for what its section says");
}

void bind(Schema<TuneParams>& s) {
  s.field("trials", &TuneParams::trials)
      .range(0, 1000)
      .doc(
          "Combinations of these values that are tried at most, drawn from all of them, the same "
          "for every method; 0 for all");
  s.field("train.lr", &TuneParams::lr).above(0).max(100).doc("Learning rates to choose from");
  s.field("train.weight_decay", &TuneParams::weight_decay)
      .range(0, 10)
      .doc("Weight decays to choose from");
  s.field("train.epochs", &TuneParams::epochs)
      .range(0, 1e6)
      .doc("Numbers of epochs to choose from");
  s.field("train.batch_size", &TuneParams::batch_size)
      .range(0, 1e6)
      .doc("Batch sizes to choose from");
  s.field("train.warmup", &TuneParams::warmup)
      .min(0)
      .below(1)
      .doc("Lengths of the warm-up to choose from");
  s.field("train.label_smoothing", &TuneParams::label_smoothing)
      .min(0)
      .below(1)
      .doc("Label smoothings to choose from");
}

bool is_fixed_section(std::string_view name) {
  return std::find(std::begin(fixed_sections), std::end(fixed_sections), name) !=
         std::end(fixed_sections);
}

std::string_view section_summary(std::string_view section) {
  if (section == "protocol")
    return "Who is learnt from, chosen by and judged on, and what a graph may hold";
  if (section == "nodes") return "Which features a node of the graph holds";
  if (section == "head") return "The classifier behind the graph network";
  if (section == "budget") return "How much a PEFT method may train";
  if (section == "tune") return "Settings of train that validation photos choose";
  ESPALIER_ASSERT(section == "train", "no such fixed section");
  return "Optimiser and schedule";
}

std::int64_t validation_shots(const ProtocolParams& protocol) {
  constexpr std::int64_t of_coop = 4;
  const std::int64_t wanted =
      protocol.val_shots < 0 && protocol.shots > 0 ? of_coop : protocol.val_shots;
  if (wanted <= 0) return 0;
  return protocol.shots > 0 ? std::min(protocol.shots, wanted) : wanted;
}

// The default is the word where a number says the same as it.
Json in_one_word(std::string_view section, Json resolved) {
  if (section != "protocol") return resolved;
  const ProtocolParams given = schema_of<ProtocolParams>().parse(resolved);
  ProtocolParams usual = given;
  usual.val_shots = ProtocolParams().val_shots;
  const std::int64_t shots = validation_shots(given);
  resolved["val_shots"] = shots == validation_shots(usual) ? usual.val_shots : shots;
  return resolved;
}

const SchemaInfo& section_schema(std::string_view section) {
  static const SchemaInfo protocol = schema_of<ProtocolParams>().info();
  static const SchemaInfo nodes = schema_of<NodesParams>().info();
  static const SchemaInfo head = schema_of<HeadParams>().info();
  static const SchemaInfo train = schema_of<TrainParams>().info();
  static const SchemaInfo budget = schema_of<BudgetParams>().info();
  static const SchemaInfo tune = schema_of<TuneParams>().info();
  if (section == "protocol") return protocol;
  if (section == "nodes") return nodes;
  if (section == "head") return head;
  if (section == "budget") return budget;
  if (section == "tune") return tune;
  ESPALIER_ASSERT(section == "train", "no such fixed section");
  return train;
}

}  // namespace espalier
