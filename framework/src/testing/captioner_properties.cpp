#include <atomic>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/dataset.hpp>
#include <thread>

#include "matter_internal.hpp"
#include "properties_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

constexpr std::size_t length_limit = 8192;

// What captioners are asked about; requests refer to the dataset.
struct Requests {
  std::shared_ptr<Dataset> dataset;
  std::vector<CaptionRequest> list;
};

// The first samples of a dataset that has facts.
Requests requests_from(std::shared_ptr<Dataset> dataset, LabelTold told) {
  Requests requests{.dataset = std::move(dataset), .list = {}};
  for (std::size_t i = 0; i < std::min<std::size_t>(8, requests.dataset->samples().size()); ++i) {
    requests.list.push_back(caption_request(*requests.dataset, i, 0, told));
    requests.list.back().image = [image = requests.dataset->image(i)] { return image; };
  }
  return requests;
}

Requests requests_for(const Subject& subject) {
  const LabelTold told = subject.has("needs_label") ? LabelTold::yes : LabelTold::no;
  if (subject.has("needs_attributes")) {
    for (const ComponentInfo& info : subject.catalog().all()) {
      if (info.kind != "dataset" || !info.has("attributes")) continue;
      return requests_from(subject.make_other<Dataset>(info), told);
    }
    throw Skip("it needs attributes, and no dataset that was found has them");
  }
  Requests requests;
  for (const Image& image : some_images()) {
    requests.list.push_back(
        {.id = "sample",
         .image = [image] { return image; },
         .facts = subject.has("needs_captions") ? Json{{"caption", "a small picture"}} : Json(),
         .random = Random(std::uint64_t{requests.list.size()})});
  }
  return requests;
}

bool same_caption(const Caption& a, const Caption& b) {
  return a.text == b.text && a.source == b.source;
}

void sound_captions(const Subject& subject) {
  const auto captioner = subject.make<Captioner>();
  const Requests requests = requests_for(subject);
  captioner->check(requests.list);
  bool has_text = false;
  for (const CaptionRequest& request : requests.list) {
    const Caption caption = captioner->caption(request);
    expect(is_plain_text(caption.text), "a caption is not UTF-8 or holds a NUL");
    expect(caption.text.size() <= length_limit, "a caption is longer than 8192 bytes");
    expect(!caption.source.empty(), "a caption does not say what produced it");
    has_text = has_text || !caption.text.empty();
  }
  expect(subject.has("text") == has_text, subject.has("text")
                                              ? "`text` is declared and every caption is empty"
                                              : "a caption has text and `text` is not declared");
}

void repeatable_captions(const Subject& subject) {
  const auto first = subject.make<Captioner>();
  const auto second = subject.make<Captioner>();
  const Requests requests = requests_for(subject);
  for (const CaptionRequest& request : requests.list) {
    const Caption caption = first->caption(request);
    expect(same_caption(caption, first->caption(request)), "the same request gave another caption");
    expect(same_caption(caption, second->caption(request)),
           "another instance gave another caption");
  }
}

void same_together(const Subject& subject) {
  const auto captioner = subject.make<Captioner>();
  const Requests requests = requests_for(subject);
  const std::vector<Caption> together = captioner->captions(requests.list);
  expect(together.size() == requests.list.size(), "captions() gives another number of captions");
  for (std::size_t i = 0; i < together.size(); ++i) {
    expect(same_caption(together[i], captioner->caption(requests.list[i])),
           "captions() gives another caption than caption()");
  }
}

void seed_as_declared(const Subject& subject) {
  if (subject.has("seeded")) throw Skip("`seeded` is declared: captions may follow the seed");
  const auto first = subject.make<Captioner>(1);
  const auto second = subject.make<Captioner>(2);
  Requests requests = requests_for(subject);
  for (CaptionRequest& request : requests.list) {
    const Caption caption = first->caption(request);
    request.random = Random(std::uint64_t{12345});
    expect(same_caption(caption, second->caption(request)),
           "the seed changes a caption and `seeded` is not declared");
  }
}

void thread_safe_captions(const Subject& subject) {
  const auto captioner = subject.make<Captioner>();
  const Requests requests = requests_for(subject);
  std::vector<Caption> expected;
  for (const CaptionRequest& request : requests.list)
    expected.push_back(captioner->caption(request));
  std::atomic<bool> equal = true;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < requests.list.size(); ++i) {
        if (!same_caption(captioner->caption(requests.list[i]), expected[i])) equal = false;
      }
    });
  }
  threads.clear();
  expect(equal, "a caption differs when several threads ask for it");
}

Behaviour watched_captioner(const Subject& subject) {
  const auto captioner = subject.make<Captioner>();
  const Requests requests = requests_for(subject);
  Behaviour seen;
  for (const CaptionRequest& request : requests.list) {
    const Caption caption = captioner->caption(request);
    seen.add(caption.text);
    seen.add(caption.source);
  }
  return seen;
}

}  // namespace

std::vector<Property> captioner_properties() {
  return {
      {"sound_captions", "Captions are UTF-8, of bounded length, with their source", true,
       sound_captions},
      {"repeatable", "The same request gives the same caption", true, repeatable_captions},
      {"same_together", "Several at once get the captions that each gets alone", true,
       same_together},
      {"seed_as_declared", "Only a captioner that says so follows the seed", true,
       seed_as_declared},
      {"thread_safe", "Captions are the same when several threads ask", true, thread_safe_captions},
      parameters_matter(watched_captioner),
  };
}

}  // namespace espalier::conformance
