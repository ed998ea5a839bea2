// The sections of an experiment that are no components: what every trial has.
//
// A trial's configuration has the keys dataset, captioner, encoder, graph, gnn, peft (components)
// and protocol, nodes, head, train, budget, tune (below), and the number `seed`.
#pragma once

#include <cstdint>
#include <espalier/core/schema.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct ProtocolParams {
  std::int64_t shots = 16;      // labelled training images a class, 0: all
  std::int64_t val_shots = -1;  // validation images a class, at most shots where shots > 0; 0: all;
                                // -1: min(shots, 4), all where shots is 0
  std::string graph =
      "inductive_attach";     // none | inductive_attach | inductive_batch | transductive
  double val_fraction = 0.2;  // of each class, where the dataset has no official split; 0: none
  double test_fraction = 0.3;
  std::int64_t split_seed = 1;  // of that split
  // Epochs after which the graph is made anew of the nodes as they are then; 0: never.
  std::int64_t graph_refresh = 0;
  std::int64_t tasks = 1;          // parts that the classes come in, one after another
  std::string scenario = "class";  // class | task: whether a photo's task is unknown or known
  std::string classes = "all";     // all | base: the first half is learnt, the other is new
};
void bind(Schema<ProtocolParams>& s);
// What val_shots comes to: validation images a class, 0 for all.
[[nodiscard]] std::int64_t validation_shots(const ProtocolParams& protocol);

struct NodesParams {
  std::string fuse = "image";  // image | text | mean | concat | bimodal | cross_attention
  bool normalize = true;       // each feature row to length 1 before fusing
  std::string predict =
      "both";  // image | text | both: of bimodal, whose state the class comes from
  // Of cross_attention.
  std::string attend = "both";  // image | text | both: whose features look at the other's
  std::int64_t tokens = 4;      // that a feature row is mapped to
  std::int64_t token_width = 64;
  std::int64_t heads = 4;
  // Classes whose nodes each node is joined with, those that it is most similar to; 0: classes have
  // no nodes.
  std::int64_t class_texts = 0;
};
void bind(Schema<NodesParams>& s);

struct HeadParams {
  std::string use = "linear";   // linear | cosine | prompts | zero_shot
  double scale = 16.0;          // of the cosine, trained
  std::string init = "random";  // random | prompts: of linear and cosine, from the classes' texts
  // Of prompts, and of zero_shot, which is prompts with nothing to train: what the encoder is told
  // about each class.
  // auto | simple | general | oxford_pets | ... | template | file | phrases
  std::string prompts = "auto";
  std::string prompt = "a photo of a {}.";
  ContentPath descriptions = {};  // JSON, {class: [sentence or phrase, ...]}
  std::string phrase_prompt = "a photo of a {class}, which has {phrase}.";
  std::string average = "features";  // features | scores, over the texts of a class
};
void bind(Schema<HeadParams>& s);

struct TrainParams {
  std::int64_t epochs = 60;
  std::int64_t batch_size = 0;  // 0: all at once
  // none | paper: what is not given is as the PEFT method was published.
  std::string preset = "none";
  std::string optimizer = "adamw";  // adamw | adam | sgd
  double lr = 1e-3;
  double weight_decay = 0.01;
  double momentum = 0.9;  // of sgd
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  std::string schedule = "cosine";  // cosine | constant
  double warmup = 0.1;              // fraction of the steps
  double label_smoothing = 0.0;
  std::int64_t patience = 0;  // epochs without a better validation top-1; 0: never stop early
  double clip_norm = 0.0;     // of all gradients together; 0: no clipping
  // Elastic weight consolidation.
  double ewc = 0.0;                           // lambda; 0: none
  std::string ewc_source = "previous_tasks";  // previous_tasks | zero_shot: held to what was there
  std::string ewc_fisher = "expected";        // expected | sampled | empirical
  std::int64_t ewc_samples = 0;               // that the Fisher information is taken of, 0: all
  std::string select = "best_val";  // best_val | last: the epoch whose parameters are judged
  // Random views that a training picture is looked at in, one of them an epoch; 0: it is as it is.
  std::int64_t views = 0;
  double view_scale = 0.5;  // least share of the picture's area
  std::int64_t view_seed = 1;
  // Of methods that train inside the encoder.
  std::int64_t chunk = 16;              // pictures or texts whose tape is held at a time
  std::string activations = "float32";  // float32 | float16: what enters the trained layers
};
void bind(Schema<TrainParams>& s);

struct BudgetParams {
  std::int64_t trainable = 0;  // parameters of the PEFT method at most; 0: as its section says
};
void bind(Schema<BudgetParams>& s);

// Values of settings of `train`, named as there, of which validation samples choose
// (experiment/tuning.hpp).
struct TuneParams {
  std::int64_t trials = 0;  // combinations of them that are tried at most, 0: all
  std::vector<double> lr = {};
  std::vector<double> weight_decay = {};
  std::vector<std::int64_t> epochs = {};
  std::vector<std::int64_t> batch_size = {};
  std::vector<double> warmup = {};
  std::vector<double> label_smoothing = {};
};
void bind(Schema<TuneParams>& s);

inline constexpr std::string_view fixed_sections[] = {"protocol", "nodes",  "head",
                                                      "train",    "budget", "tune"};

[[nodiscard]] bool is_fixed_section(std::string_view name);
// The schema of a fixed section.
[[nodiscard]] const SchemaInfo& section_schema(std::string_view section);
// The resolved parameters of a fixed section with one word for what comes to the same.
[[nodiscard]] Json in_one_word(std::string_view section, Json resolved);
// What it is for, one line without a full stop.
[[nodiscard]] std::string_view section_summary(std::string_view section);

}  // namespace espalier
