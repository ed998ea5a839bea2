#include "run/worker_inspector.hpp"

#include <poll.h>

#include <array>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <utility>

#include "slot_internal.hpp"

namespace espalier {
namespace {

constexpr int memory_format = 6;
constexpr std::size_t most_memory = std::size_t{16} << 20;
constexpr std::size_t most_answers = 50'000;
constexpr int a_moment = 2000;  // milliseconds

}  // namespace

WorkerInspector::WorkerInspector(WorkerCommand worker, std::filesystem::path memory, Notice notice)
    : command_(std::move(worker)), memory_(std::move(memory)), notice_(std::move(notice)) {
  read_memory();
}

WorkerInspector::~WorkerInspector() {
  if (learnt_) write_memory();
}

// Answers may come from the file.
template <class Read>
auto WorkerInspector::understood(const Read& read) const try {
  return read();
} catch (const Json::exception& error) {
  throw Error({.what = "an answer about data or an encoder lacks something",
               .where = memory_.string(),
               .expected = {},
               .found = error.what(),
               .fix = "remove the file: what it remembers is asked anew"});
}

DataFacts WorkerInspector::facts(const InspectedSection& dataset) {
  const Json found = answer("facts", {{"dataset", dataset}});
  return understood([&] {
    return DataFacts{.capabilities = found.at("capabilities").get<std::vector<std::string>>(),
                     .warnings = found.value("warnings", std::vector<std::string>())};
  });
}

SplitSizes WorkerInspector::check_protocol(const InspectedSection& dataset,
                                           const InspectedSection& protocol) {
  const Json found = answer("protocol", {{"dataset", dataset}, {"protocol", protocol}});
  return understood([&] {
    return SplitSizes{
        .train = found.at("train"), .val = found.at("val"), .others = found.at("others")};
  });
}

void WorkerInspector::check_head(const InspectedSection& dataset, const InspectedSection& head) {
  (void)answer("head", {{"dataset", dataset}, {"head", head}});
}

void WorkerInspector::check_captions(const InspectedSection& dataset,
                                     const InspectedSection& captioner) {
  (void)answer("captioner", {{"dataset", dataset}, {"captioner", captioner}});
}

MethodCuts WorkerInspector::cuts(const InspectedSection& encoder, const InspectedSection& peft,
                                 const std::vector<std::string>& towers) {
  const Json found = answer("cuts", {{"encoder", encoder}, {"peft", peft}}, {{"towers", towers}});
  return understood([&] {
    MethodCuts cuts{.towers = {},
                    .nothing = found.value("nothing", std::string()),
                    .warnings = found.value("warnings", std::vector<std::string>())};
    for (const Json& cut : found.at("cuts")) {
      cuts.towers.push_back({.tower = cut.at("tower"),
                             .cut = cut.at("cut"),
                             .layers = cut.at("layers"),
                             .bytes = cut.at("bytes"),
                             .trainable = found.at("trainable")});
    }
    return cuts;
  });
}

SizeSearch WorkerInspector::fit(const InspectedSection& encoder, const InspectedSection& peft,
                                const InspectedSection& dataset,
                                const std::vector<std::string>& towers,
                                const SizeQuestion& question) {
  const Json found = answer("fit", {{"encoder", encoder}, {"peft", peft}, {"dataset", dataset}},
                            {{"towers", towers},
                             {"trainable", question.trainable},
                             {"key", question.key},
                             {"values", question.values}});
  const auto size = [](const Json& json) -> std::optional<MethodSize> {
    if (json.is_null()) return std::nullopt;
    return MethodSize{.value = json.at("value"), .trainable = json.at("trainable")};
  };
  return understood([&] {
    return SizeSearch{.found = size(found.at("found")), .smallest = size(found.at("smallest"))};
  });
}

Json WorkerInspector::answer(const char* question, const Sections& sections, const Json& more) {
  std::string words = question;
  Json message = more;
  for (const auto& [name, section] : sections) {
    words.append("\n").append(section.identity);
    message[name] = *section.resolved;
  }
  const std::string key = hex(sha256(words + "\n" + more.dump()));
  if (const auto known = answers_.find(key); known != answers_.end()) return *known;
  message["do"] = question;
  const auto& [kind, section] = sections.front();
  Json found = ask(message, kind + "/" + section.resolved->at("use").get<std::string>());
  learnt_ = true;
  return answers_[key] = std::move(found);
}

Json WorkerInspector::ask(const Json& message, const std::string& opened) {
  if (!worker_) worker_ = std::make_unique<WorkerProcess>(command_);
  worker_->send(message);
  Json found = wait(opened);
  const auto wrong = found.find("problems");
  if (wrong == found.end()) return found;
  std::vector<Problem> problems;
  for (const Json& problem : *wrong) problems.push_back(problem_from_json(problem));
  throw Error(std::move(problems));
}

Json WorkerInspector::wait(const std::string& opened) {
  std::vector<Json> answers;
  int patience = notice_ ? a_moment : -1;
  for (;;) {
    std::array<pollfd, 2> polled{{{worker_->output(), POLLIN, 0}, {worker_->errors(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), patience) == 0) {
      notice_(opened);
      patience = -1;
    }
    if (polled[1].revents != 0) worker_->read_errors();
    if (polled[0].revents == 0) continue;
    const bool open = worker_->read_output(answers);
    if (!answers.empty()) return std::move(answers.front());
    if (open) continue;
    const WorkerEnd end = worker_->wait();
    worker_.reset();
    throw Error({.what = opened + " ended the program that opened it",
                 .where = {},
                 .expected = {},
                 .found = describe(end),
                 .fix = "espalier doctor and, for data, espalier data check say more"});
  }
}

void WorkerInspector::read_memory() try {
  if (!std::filesystem::exists(memory_)) return;
  Json read = parse_json(read_file(memory_, most_memory), memory_.string());
  const bool current = read.value("format", 0) == memory_format && read.at("answers").is_object() &&
                       read["answers"].size() < most_answers;
  if (current) answers_ = std::move(read["answers"]);
} catch (const std::exception&) {
  answers_ = Json::object();  // asked again
}

void WorkerInspector::write_memory() const try {
  std::filesystem::create_directories(memory_.parent_path());
  write_file(memory_, Json{{"format", memory_format}, {"answers", answers_}}.dump());
} catch (const std::exception&) {
  // A folder that cannot be written: the next plan asks again.
}

}  // namespace espalier
