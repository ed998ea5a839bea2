#include "results/tensorboard.hpp"
#include "results/report.hpp"
#include "results/trial_fields.hpp"
#include <algorithm>
#include <boost/crc.hpp>
#include <cmath>
#include <cstring>
#include <espalier/core/file.hpp>

namespace espalier {
namespace {

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

template <class T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

std::uint32_t masked_crc(std::string_view bytes) {
  Crc32c crc;
  crc.process_bytes(bytes.data(), bytes.size());
  const auto sum = static_cast<std::uint32_t>(crc.checksum());
  return ((sum >> 15) | (sum << 17)) + 0xA282EAD8u;
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Wire types of Protocol Buffers.
void varint_field(std::string& out, unsigned field, std::uint64_t value) {
  append_varint(out, field << 3);
  append_varint(out, value);
}

void double_field(std::string& out, unsigned field, double value) {
  append_varint(out, field << 3 | 1);
  append_raw(out, value);
}

void bytes_field(std::string& out, unsigned field, std::string_view bytes) {
  append_varint(out, field << 3 | 2);
  append_varint(out, bytes.size());
  out += bytes;
}

void float_field(std::string& out, unsigned field, float value) {
  append_varint(out, field << 3 | 5);
  append_raw(out, value);
}

std::string record(std::string_view payload) {
  std::string out;
  append_raw(out, static_cast<std::uint64_t>(payload.size()));
  append_raw(out, masked_crc(out));
  out += payload;
  append_raw(out, masked_crc(payload));
  return out;
}

std::string run_name(const SweepTable& sweep, std::size_t row) {
  std::string name = trial_label(sweep.plan, row);
  for (char& c : name) {
    if (c == '/' || static_cast<unsigned char>(c) < ' ') c = '_';
  }
  std::size_t end = std::min<std::size_t>(name.size(), 150);
  while (end > 0 && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) {
    --end;
  }
  return name.substr(0, end) + " " + sweep.plan.rows[row].trial_id.substr(0, 8);
}

std::string events_of(const TrialRecord& record, const MetricsColumns& rows) {
  const double began = std::isnan(record.began) ? record.ended : record.began;
  const double start = std::isnan(began) ? 0 : began;
  EventFile events(start);
  double last = start;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (!std::isnan(rows.wall_s[i])) last = start + rows.wall_s[i];
    events.add(rows.split[i] + "/loss", rows.epoch[i], last, rows.loss[i]);
    events.add(rows.split[i] + "/top1", rows.epoch[i], last, rows.top1[i]);
    if (rows.split[i] == "train") events.add("lr", rows.epoch[i], last, rows.lr[i]);
  }
  if (record.status != TrialStatus::complete) return events.bytes();
  for (const std::string_view name : swept_metrics) {
    const std::string tag = "final/" + std::string(name);
    events.add(tag, record.result.best_epoch, last, metric_of(record.result, name));
  }
  return events.bytes();
}

}  // namespace

EventFile::EventFile(double wall_time) {
  std::string event;
  double_field(event, 1, wall_time);
  bytes_field(event, 3, "brain.Event:2");
  bytes_ = record(event);
}

void EventFile::add(std::string_view tag, std::int64_t step, double wall_time, double value) {
  if (std::isnan(value)) return;
  std::string scalar;  // Summary.Value: tag = 1, simple_value = 2
  bytes_field(scalar, 1, tag);
  float_field(scalar, 2, static_cast<float>(value));
  std::string summary;
  bytes_field(summary, 1, scalar);
  std::string event;
  double_field(event, 1, wall_time);
  varint_field(event, 2, static_cast<std::uint64_t>(step));
  bytes_field(event, 5, summary);
  bytes_ += record(event);
}

std::size_t write_tensorboard(const SweepTable& sweep, const std::filesystem::path& folder) {
  std::size_t written = 0;
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    const auto trial = sweep.folder / "trials" / sweep.plan.rows[i].trial_id;
    MetricsColumns metrics;
    add_metrics(trial, sweep.records[i], metrics);
    if (metrics.rows() == 0) continue;
    const std::filesystem::path run = folder / run_name(sweep, i);
    std::filesystem::create_directories(run);
    write_file(run / "events.out.tfevents.0.espalier", events_of(sweep.records[i], metrics));
    ++written;
  }
  return written;
}

}  // namespace espalier
