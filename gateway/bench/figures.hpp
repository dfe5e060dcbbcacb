#pragma once
// Figures: how they are timed, put together and shown. What is measured is not known here. [facts/limits.md §10]

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gateway::bench {

/// Microseconds. CPU time is user and system time together.
double process_cpu_us();
double thread_cpu_us();  ///< of the calling thread
double wall_us();

/// Memory of this process: as it is, at its peak since the peak was last forgotten. Throw std::runtime_error where
/// /proc does not say.
double resident_octets();
double peak_resident_octets();
void forget_peak_resident_octets();

double median(std::vector<double> values);
/// The value below which `part` of all are; the greatest of few. @param part  0 to 1
double quantile(std::vector<double> values, double part);

/// Repeats one piece of work on the calling thread: first calibrated to about 120 ms, then a round at a time.
class Repeated {
 public:
  explicit Repeated(std::function<void()> work);
  double round_us();  ///< CPU time of one piece of work, over one round
  /// The median of all rounds so far. Throws std::logic_error where there was none.
  double median_us() const;

 private:
  std::function<void()> work_;
  std::size_t count_ = 1;
  std::vector<double> rounds_;
};

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> reference = {};  ///< in the same unit
  std::optional<double> ratio = {};      ///< reference / value: 1 is as good as the reference
  std::string meaning;                   ///< in words, with what the reference is
};
/// With the ratio worked out.
Figure beside(Figure figure, double reference);

/// {"figures":[{"name","value","unit","reference","ratio"}]…}: numbers with three decimals, null where there is none.
/// @param further  members to follow `figures`, well-formed JSON: `"sample":{…}`
std::string write_json(const std::vector<Figure>& figures, const std::vector<std::string>& further);

/// Three decimals for small numbers, one for large ones, independent of the locale.
std::string shown(double number);

}  // namespace gateway::bench
