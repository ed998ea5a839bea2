// Captions from a file, one a photo. docs/captions.md.
#include <spdlog/logger.h>

#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/dataset/caption_file.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/component.hpp>
#include <set>

namespace {

using espalier::CaptionRequest;
using espalier::Problem;

struct FileParams {
  espalier::ContentPath file;
};

void bind(espalier::Schema<FileParams>& s) {
  s.field("file", &FileParams::file)
      .required()
      .doc("Captions by photo: a CSV table, a JSON object, or JSON lines");
}

constexpr std::size_t most_named = 5;

// `5 photos have no caption: a.jpg, b.jpg, ...`
std::string listed(const std::vector<std::string>& ids) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), most_named); ++i) {
    text += (i == 0 ? "" : ", ") + ids[i];
  }
  return ids.size() > most_named ? text + ", ..." : text;
}

class CaptionsOfAFile final : public espalier::Captioner {
 public:
  using Params = FileParams;

  CaptionsOfAFile(const Params& params, const espalier::RunContext& context)
      : file_(espalier::resolve_path(params.file.text)),
        captions_(espalier::read_captions(file_)),
        log_(context.log()) {}

  void check(std::span<const CaptionRequest> requests) const override {
    std::vector<std::string> missing;
    std::set<std::string_view> asked;
    for (const CaptionRequest& request : requests) {
      asked.insert(request.id);
      if (!captions_.contains(request.id)) missing.emplace_back(request.id);
    }
    std::vector<std::string> superfluous;
    for (const auto& [id, text] : captions_) {
      if (!asked.contains(id)) superfluous.push_back(id);
    }
    if (!missing.empty()) {
      throw espalier::Error(
          Problem{.what = std::to_string(missing.size()) + " of " +
                          std::to_string(requests.size()) + " photos have no caption",
                  .where = file_.string(),
                  .expected = "a caption for " + listed(missing),
                  .found = superfluous.empty() ? std::to_string(captions_.size()) + " captions"
                                               : "captions for " + listed(superfluous),
                  .fix = "an id is the path of a photo below the root of the dataset"});
    }
    if (superfluous.empty()) return;
    log_.warn("{} captions of {} are for photos that the dataset does not have: {}",
              superfluous.size(), file_.string(), listed(superfluous));
  }

  espalier::Caption caption(const CaptionRequest& request) const override {
    const auto found = captions_.find(request.id);
    if (found != captions_.end()) return {found->second, "file"};
    throw espalier::Error(Problem{.what = "a photo has no caption",
                                  .where = file_.string(),
                                  .expected = "a caption for " + std::string(request.id),
                                  .found = {},
                                  .fix = {}});
  }

 private:
  std::filesystem::path file_;
  espalier::CaptionTable captions_;
  spdlog::logger& log_;
};

}  // namespace

ESPALIER_COMPONENT(captioner, "file", 1, CaptionsOfAFile,
                   "Captions that were written before, by you or by a model, from a file", "text")
