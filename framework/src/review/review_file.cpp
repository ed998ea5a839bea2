#include "review/review_file.hpp"

#include "review/review_scores.hpp"

#include <espalier/caption/caption_file.hpp>
#include <espalier/core/error.hpp>
#include <map>
#include <utility>

namespace espalier {
namespace {

void apply(const Decision& decision, CaptionRecord& record, ReviewedFile& made) {
  record.more["reviewed"] = to_string(decision.verdict);
  if (decision.verdict == Verdict::reject) {
    record.caption.text.clear();
    record.caption.answer = Answer::dropped;
    record.caption.note = "rejected in a review";
    ++made.rejected;
  }
  if (decision.verdict == Verdict::edit) {
    record.caption.text = decision.text;
    record.caption.answer = Answer::ok;
    record.caption.note.clear();
    ++made.edited;
  }
}

// What `captions filter --do review` wrote; nothing where it is anything else.
std::vector<std::string> marks_of(const CaptionRecord& record) {
  constexpr std::size_t most = 20, longest = 100;
  std::vector<std::string> marks;
  for (const Json& mark : record.more.value("review", Json::array())) {
    if (mark.is_string() && marks.size() < most) {
      marks.push_back(mark.get<std::string>().substr(0, longest));
    }
  }
  return marks;
}

}  // namespace

ReviewInput read_review_input(const std::filesystem::path& file,
                              const std::filesystem::path& decisions) {
  const CaptionSet set = read_captions(file);
  ReviewInput input{.items = {}, .set = set.digest(), .measure = {}};
  for (const CaptionRecord& record : set.records()) {
    ReviewItem item;
    item.id = record.id;
    item.text = record.caption.text;
    if (record.caption.answer != Answer::ok) item.trouble = to_string(record.caption.answer);
    item.marks = marks_of(record);
    input.items.push_back(std::move(item));
  }
  if (const std::optional<ReviewScores> scores = scores_in(decisions, set.digest())) {
    add_scores(*scores, input.items);
    input.measure = scores->measure;
  }
  return input;
}

ReviewedFile write_reviewed(const std::filesystem::path& parent, std::span<const ReviewItem> items,
                            std::span<const std::optional<Decision>> outcomes,
                            const std::filesystem::path& out) {
  ESPALIER_ASSERT(items.size() == outcomes.size(), "an outcome for each caption");
  const CaptionSet set = read_captions(parent);
  std::map<std::string_view, const Decision*> decisions;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (outcomes[i]) decisions[items[i].id] = &*outcomes[i];
  }
  ReviewedFile made;
  made.parent = set.digest();
  std::vector<CaptionRecord> records = set.records();
  for (CaptionRecord& record : records) {
    if (const auto of = decisions.find(record.id); of != decisions.end()) {
      apply(*of->second, record, made);
    }
    made.captions += has_text(record.caption.answer) ? 1 : 0;
  }
  Json about = set.about();
  about["parent"] = made.parent;
  made.digest = write_captions(CaptionSet(std::move(about), std::move(records), out.string()), out);
  return made;
}

}  // namespace espalier
