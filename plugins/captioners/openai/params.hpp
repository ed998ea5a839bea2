// What a user says about a server and what is asked of it.
#pragma once

#include <cstdint>
#include <espalier/core/schema.hpp>
#include <string>

namespace espalier::openai {

struct Params {
  ContentPath captions;  // a set that was recorded
  std::string base_url = "http://127.0.0.1:8080/v1";
  std::string model;
  std::string prompt = "plain";  // plain | attributes | name | random | file
  ContentPath prompt_file;
  std::string subject = "photo";
  std::int64_t words = 40;
  std::int64_t max_side = 768;  // pixels, 0: as it is
  double temperature = 0;
  double top_p = 1;
  std::int64_t seed = 7;
  std::int64_t max_tokens = 512;
  std::string extra_body;  // a JSON object as text
  std::string key_env;
  std::string ca_file;
  std::int64_t concurrency = 4;
  double timeout = 300;        // seconds of one request
  double first_timeout = 900;  // until the first answer
};
void bind(Schema<Params>& s);

}  // namespace espalier::openai
