// Captions in a file, by picture: a caption set, or what somebody wrote in a form of their own.
#pragma once

#include <espalier/caption/caption_set.hpp>
#include <filesystem>

namespace espalier {

// Reads, told apart by content and never by name,
//   a caption set;
//   a JSON object, {"roses/1.jpg": "a red rose", ...};
//   JSON lines, {"id": "roses/1.jpg", "text": "a red rose"}; `path` for `id` and `caption` for
//   `text` are as good, and a list of such objects too;
//   CSV with a column `id` or `path` and a column `text` or `caption`, separated by `,`, `;` or
//   tabs.
// Ids of the last three are brought to their plain form: `./a//b.jpg` is `a/b.jpg`; their records
// say nothing but the text. Throws Error with everything that is wrong: what is none of these, ids
// twice, captions that are empty, no text or longer than 8192 bytes.
[[nodiscard]] CaptionSet read_captions(const std::filesystem::path& file);

}  // namespace espalier
