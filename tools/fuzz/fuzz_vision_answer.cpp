// An answer of a vision server, good or bad, and the parts that it may name.
#include "captioners/openai/answer.hpp"

#include <cstdlib>
#include <espalier/caption/caption_set.hpp>

#include "captioners/openai/prompts.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const std::string body(fuzz::text_of(data, size));
    espalier::CaptionRecord record{.id = "x"};
    record.caption = espalier::openai::read_answer(body);
    if (!record_fault(record).empty()) std::abort();
    (void)to_json(record).dump();
    (void)espalier::openai::read_fault(body);
    (void)espalier::openai::parts_in_words(body);
  });
}
