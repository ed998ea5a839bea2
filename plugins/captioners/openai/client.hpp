// Asks a server about pictures until it has answered, or it is clear that it will not.
#pragma once

#include <atomic>
#include <cstdint>
#include <espalier/caption/asking_captioner.hpp>
#include <memory>
#include <mutex>
#include <spdlog/fwd.h>
#include <string>
#include <vector>

#include "body.hpp"
#include "http.hpp"
#include "params.hpp"
#include "prompts.hpp"
#include "traffic.hpp"

namespace espalier::openai {

// How long a server is borne with.
struct Patience {
  int tries = 6;            // of one picture
  int timeouts = 2;         // among them
  double first_wait = 0.5;  // seconds; doubled with every try, and drawn from 0 to that
  double longest_wait = 60;
  double longest_asked = 300;  // that a server may ask for; where it asks for more, all ends
  int failures_in_a_row = 10;  // pictures without a caption
};

class Client {
 public:
  // Throws Error with all that is wrong with the parameters or the environment. `log` must outlive
  // it.
  Client(Params params, Patience patience, spdlog::logger& log);

  // Whether the environment has the key. Throws Error where it has not.
  void require_key() const;

  // The class of the answer says whether there is a text. Throws Error where other pictures would
  // fare no better: nobody answers, the key or the model is refused, the server takes no pictures
  // or sends elsewhere, too many failures in a row, `stopped`. May be called from several threads.
  [[nodiscard]] AnsweredCaption ask(const CaptionRequest& request,
                                    const std::function<bool()>& stopped);

 private:
  struct Attempt;

  AnsweredCaption ask_patiently(const Question& question, const std::string& picture,
                                Attempt& attempt);
  [[nodiscard]] HttpAnswer send(const std::string& path, const std::string& body,
                                const std::function<bool()>& stopped);
  [[nodiscard]] bool can_do_without(const HttpAnswer& answer, Attempt& attempt);
  [[nodiscard]] std::string without_key(std::string text) const;
  [[nodiscard]] bool has_patience(const Attempt& attempt, const HttpAnswer& answer) const;
  // Waits before the next try; throws where the server asks for too long.
  void wait_to_try(const HttpAnswer& answer, Attempt& attempt);
  void note(Attempt& attempt, const HttpAnswer& answer);
  void refuse_for_all(const HttpAnswer& answer);
  [[nodiscard]] std::string models();
  void count(const AnsweredCaption& caption);
  [[nodiscard]] std::string picture_of(const CaptionRequest& request) const;
  [[nodiscard]] std::string source() const;

  Params params_;
  Patience patience_;
  spdlog::logger& log_;
  std::string url_;
  std::string key_;
  Json extra_;
  Prompt prompt_;
  Refused refused_;
  Traffic traffic_;
  std::atomic<bool> has_answered_ = false;
  std::atomic<int> failures_ = 0;
  std::atomic<std::int64_t> last_said_ = 0;
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpClient>> idle_;
};

}  // namespace espalier::openai
