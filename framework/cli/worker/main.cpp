// The program that loads plugins and LibTorch, started by espalier; people need not call it.
#include "../verb.hpp"

int main(int argc, char** argv) {
  return espalier::cli::dispatch("espalier-worker", {}, {argv + 1, argv + argc});
}
