// The program that people type. It never loads LibTorch: tensor work is done by espalier-worker.
#include "../verb.hpp"
#include "verbs.hpp"

int main(int argc, char** argv) {
  namespace cli = espalier::cli;
  const std::vector<cli::Verb> verbs = {
      {"data", "Look at a dataset before anything is trained on it", cli::data},
      {"tokenize", "Print the ids of texts", cli::tokenize},
      {"plugins", "List, show, write and check components", cli::plugins},
  };
  return cli::dispatch("espalier", verbs, {argv + 1, argv + argc});
}
