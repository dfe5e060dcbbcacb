#pragma once
// A town of people who do not exist with names as common and as rare as in the United States, who live in households,
// have twins and sons of their own name, and whose data is mistyped when they are asked for. Same seed, same people.

#include "gateway/bench/population.hpp"
#include "xca/hl7v3/patient_discovery.hpp"

#include <random>

namespace gateway::bench {

/// Draws people one after the other. Some of them are related: they share name, address or telephone.
class Census {
 public:
  explicit Census(std::uint64_t seed) : random_(seed) {}
  /// @param number  makes the record number and the SSN: never the same twice
  Somebody next(std::size_t number);
  /// Born the same day, other given name, often of the same initial; the SSN given next.
  Somebody twin_of(const Somebody& who, std::size_t number);
  /// The same whole name, thirty years earlier, the same home. Either or both may write a suffix.
  Somebody father_of(const Somebody& who, std::size_t number);
  /// Somebody else at the same address with the same telephone, of the same family name.
  Somebody housemate_of(const Somebody& who, std::size_t number);
  /// Name, birth date and sex alike, everything else another's.
  Somebody namesake_of(const Somebody& who, std::size_t number);

 private:
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  bool with(unsigned percent) { return below(100) < percent; }
  void name(Somebody& who);
  void settle(Somebody& who);
  std::mt19937_64 random_;
};

/// What a partner's query gets wrong or leaves out, at least one of it: short forms, typing errors, names exchanged,
/// half of a double name, day and month exchanged, a digit of the birth date, another address or telephone, fields left
/// out.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : random_(seed) {}
  Somebody spoil(Somebody who);

 private:
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  bool with(unsigned per_thousand) { return below(1000) < per_thousand; }
  std::string mistyped(std::string word);
  std::mt19937_64 random_;
};

/// The query a partner sends for somebody; empty fields are left out. @param ids  further identifiers
xca::hl7v3::PatientQuery query_for(const Somebody& who);

}  // namespace gateway::bench
