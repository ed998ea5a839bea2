#include "params.hpp"

namespace espalier::openai {
namespace {

// How an answer comes, which cannot change what it says.
constexpr const char* never = "false";

void bind_question(Schema<Params>& s) {
  s.field("model", &Params::model).required().doc("The model's name, as the server lists it");
  s.field("prompt", &Params::prompt)
      .choices({"plain", "attributes", "name", "random", "file"})
      .doc(
          "Asks for a description, its parts as JSON, a name, random words unseen, or what "
          "prompt_file says");
  s.field("prompt_file", &Params::prompt_file)
      .only_if("prompt == 'file'")
      .doc("A text with {words} and {subject} where those belong");
  s.field("subject", &Params::subject)
      .doc("What the pictures are, in the words of the prompt: a photo of a flower");
  s.field("words", &Params::words).range(1, 1000).doc("Words to ask for at most");
  s.field("max_side", &Params::max_side)
      .range(0, 8192)
      .doc("Longer side of the JPEG that is sent; 0: that of the picture");
  s.field("temperature", &Params::temperature).range(0, 2).doc("0: the likeliest word each time");
  s.field("top_p", &Params::top_p).above(0).max(1).doc("Share of the likeliest words to draw from");
  s.field("seed", &Params::seed).range(0, 2147483647).doc("Of the server's draws");
  s.field("max_tokens", &Params::max_tokens)
      .range(1, 1'000'000)
      .doc("Room for an answer, hidden reasoning included");
  s.field("extra_body", &Params::extra_body)
      .doc("A JSON object whose members are added to each request and replace others");
}

void bind_way(Schema<Params>& s) {
  s.field("base_url", &Params::base_url)
      .only_if(never)
      .doc("Where the server answers; /chat/completions is added");
  s.field("key_env", &Params::key_env)
      .only_if(never)
      .doc("The environment variable that holds the key; empty: none is sent");
  s.field("ca_file", &Params::ca_file)
      .only_if(never)
      .doc("Certificates to trust, PEM; empty: those of the system");
  s.field("concurrency", &Params::concurrency)
      .range(1, 256)
      .only_if(never)
      .doc("Requests at once, at most");
  s.field("timeout", &Params::timeout).above(0).only_if(never).doc("Seconds for one request");
  s.field("first_timeout", &Params::first_timeout)
      .above(0)
      .only_if(never)
      .doc("The same until the first answer, as the model may have to be loaded");
}

}  // namespace

void bind(Schema<Params>& s) {
  s.field("captions", &Params::captions)
      .doc(
          "The set that holds the answers, so that no server is asked; `espalier run` writes and "
          "names it");
  bind_question(s);
  bind_way(s);
}

}  // namespace espalier::openai
