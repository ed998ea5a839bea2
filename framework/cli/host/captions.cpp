#include <algorithm>
#include <espalier/core/error.hpp>
#include <iomanip>
#include <iostream>
#include <iterator>

#include "captions_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

using Words = std::vector<std::string>;

struct CaptionAction {
  const char* name;
  const char* summary;
  int (*run)(const Words& arguments);
};

constexpr CaptionAction actions[] = {
    {"write", "Have a captioner describe the pictures of a dataset", write_captions},
    {"check", "Say how good captions are and how far they give the class away", check_caption_set},
    {"filter", "Leave out the worst captions", filter_caption_set},
    {"review", "Open a page on which people accept, edit and reject captions", review_captions},
    {"audit", "Say how many captions are wrong, from what reviewers decided", audit_captions},
};

void print_captions_help() {
  std::cout << "usage: espalier captions ACTION ...\n\nactions:\n";
  for (const CaptionAction& action : actions) {
    std::cout << "  " << std::left << std::setw(8) << action.name << action.summary << "\n";
  }
  std::cout << "\nespalier captions ACTION --help says more of each.\n\nexample:\n"
               "  espalier captions write dataset.use=image_folder dataset.root=photos \\\n"
               "    captioner.use=openai captioner.model=smolvlm --out captions.jsonl\n";
}

}  // namespace

int captions(const Words& arguments) {
  const std::string name = arguments.empty() ? "" : arguments[0];
  if (name == "--help" || name == "-h") return print_captions_help(), 0;
  const auto* action = std::find_if(std::begin(actions), std::end(actions),
                                    [&](const CaptionAction& some) { return some.name == name; });
  if (action != std::end(actions)) return action->run({arguments.begin() + 1, arguments.end()});
  throw Error({.what = "captions needs to know what to do",
               .where = "command line",
               .expected = "espalier captions write ...",
               .found = name.empty() ? "nothing" : name,
               .fix = "espalier captions --help lists what there is"});
}

}  // namespace espalier::cli
