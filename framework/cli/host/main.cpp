// The program that people type. It never loads LibTorch: tensor work is done by espalier-worker.
#include "../verb.hpp"
#include "verbs.hpp"

int main(int argc, char** argv) {
  namespace cli = espalier::cli;
  const std::vector<cli::Verb> verbs = {
      {"plan", "Say which trials an experiment expands to", cli::plan},
      {"run", "Run the trials of an experiment that are not done yet", cli::run},
      {"status", "Say what is done, running and failed", cli::status},
      {"table", "Show the table of a sweep again, ordered as you like", cli::table},
      {"compare", "Compare what an axis chooses, pair by pair, with intervals and p values",
       cli::compare_results},
      {"export", "Write results as CSV, JSON or for TensorBoard", cli::export_results},
      {"adapters", "Show, check, merge and combine what trials trained", cli::adapters},
      {"encode", "Write the features that an encoder gives", cli::encode},
      {"graph", "Build a graph, say what it is like, and draw it", cli::graph},
      {"parity", "Hold encoders, tokenizers and pictures to recorded values", cli::parity},
      {"data", "Look at a dataset before anything is trained on it", cli::data},
      {"captions", "Write, check, filter and review captions", cli::captions},
      {"cache", "List, prune and verify what trials share", cli::cache},
      {"tokenize", "Print the ids of texts", cli::tokenize},
      {"plugins", "List, show, write and check components", cli::plugins},
      {"doctor", "Say what this machine gives, and what keeps it slow", cli::doctor},
  };
  return cli::dispatch("espalier", verbs, {argv + 1, argv + argc});
}
