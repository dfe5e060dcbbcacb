#include "gateway/bench/figures.hpp"

#include "base/json/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <fstream>
#include <stdexcept>

namespace gateway::bench {
namespace {

constexpr double round_us_wanted = 120'000;

double clock_us(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double status_octets(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stod(line.substr(field.size())) * 1024;
  }
  throw std::runtime_error("/proc/self/status does not say " + std::string(field));
}

std::string decimals(double number, int count) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed, count).ptr;
  return {text.data(), end};
}

}  // namespace

double process_cpu_us() { return clock_us(CLOCK_PROCESS_CPUTIME_ID); }
double thread_cpu_us() { return clock_us(CLOCK_THREAD_CPUTIME_ID); }
double wall_us() { return clock_us(CLOCK_MONOTONIC); }

double resident_octets() { return status_octets("VmRSS:"); }
double peak_resident_octets() { return status_octets("VmHWM:"); }
void forget_peak_resident_octets() {
  std::ofstream clear("/proc/self/clear_refs");
  if (!(clear << '5' << std::flush)) throw std::runtime_error("/proc/self/clear_refs cannot be written");
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

double quantile(std::vector<double> values, double part) {
  if (values.empty()) throw std::logic_error("a quantile of nothing");
  std::ranges::sort(values);
  const auto at = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(at, 1, values.size()) - 1];
}

Repeated::Repeated(std::function<void()> work) : work_(std::move(work)) {
  double took = 0;
  for (; took < round_us_wanted / 4; count_ *= 2) {  // the first passes warm caches as well
    const double begun = thread_cpu_us();
    for (std::size_t i = 0; i < count_; ++i) work_();
    took = thread_cpu_us() - begun;
  }
  const double each = took / (static_cast<double>(count_) / 2);
  count_ = std::max<std::size_t>(1, static_cast<std::size_t>(round_us_wanted / each));
}

double Repeated::round_us() {
  const double begun = thread_cpu_us();
  for (std::size_t i = 0; i < count_; ++i) work_();
  rounds_.push_back((thread_cpu_us() - begun) / static_cast<double>(count_));
  return rounds_.back();
}

double Repeated::median_us() const { return median(rounds_); }

Figure beside(Figure figure, double reference) {
  figure.reference = reference;
  figure.ratio = figure.value > 0 ? std::optional(reference / figure.value) : std::nullopt;
  return figure;
}

std::string write_json(const std::vector<Figure>& figures, const std::vector<std::string>& further) {
  const auto number = [](const std::optional<double>& value) { return value ? decimals(*value, 3) : "null"; };
  const auto quoted = [](const std::string& text) {
    base::json::Writer writer;
    return writer.string(text).text();
  };
  std::string out = "{\"figures\":[";
  for (const Figure& figure : figures) {
    out.append(out.back() == '[' ? "\n" : ",\n").append("  {\"name\":").append(quoted(figure.name));
    out.append(",\"value\":").append(number(figure.value)).append(",\"unit\":").append(quoted(figure.unit));
    out.append(",\"reference\":").append(number(figure.reference)).append(",\"ratio\":").append(number(figure.ratio));
    out.append("}");
  }
  out += "\n]";
  for (const auto& member : further) out.append(",\n").append(member);
  return out + "}\n";
}

std::string shown(double number) { return decimals(number, std::abs(number) < 10 ? 3 : 1); }

}  // namespace gateway::bench
