#pragma once
// The partner that asks: requests as a production client writes them, signed before any clock starts. Every request
// has its own instants, ids, token and signatures. [facts/query-exchange §1–§4]

#include "gateway/bench/population.hpp"

#include "certs/x509.hpp"

#include <functional>

namespace gateway::bench {

using base::Bytes;
using base::Instant;

/// Who asks whom, and where.
struct Route {
  std::string asker_home, asked_home;  ///< OIDs
  std::string authority, repository;   ///< OIDs: of the asked clinic's patient ids, and of its documents
  std::string to;                      ///< URL, also the audience of the token
};

/// What is asked: ITI-55, ITI-38 for all entries of a patient, ITI-39 for the first of its documents.
enum class Ask { Patient, Entries, Document };

/// The unique id of a patient's document. @param number  0…
std::string document_id(const Route& route, const Somebody& whose, std::size_t number);
/// That document, a C-CDA of `octets` octets (at least 2,000): the same each time.
Bytes document_text(const Route& route, const Somebody& whose, std::size_t number, std::size_t octets);

/// A request ready for the wire and whom it asks for.
struct Signed {
  Ask ask = Ask::Patient;
  Bytes body;
  const Somebody* about = nullptr;
};

class Asker {
 public:
  static std::string_view content_type(Ask ask = Ask::Patient);
  static constexpr std::chrono::minutes lifetime{20};

  Asker(Route route, certs::Credential credential);

  /// One signed request. @param number  tells tokens apart: user, NPI and role text change with it
  Bytes request(const Somebody& about, std::size_t number, Instant now, Ask ask = Ask::Patient) const;

  /// `count` requests about one after the other of `people`, signed on all cores.
  /// @param progress  called on this thread with how many are ready, ten times a second
  std::vector<Signed> requests(std::span<const Somebody> people, std::size_t count,
                               const std::function<void(std::size_t ready)>& progress, Ask ask = Ask::Patient) const;

 private:
  Route route_;
  certs::Credential credential_;
  std::string key_info_;  ///< canonical ds:KeyInfo with KeyValue and X509Data
};

}  // namespace gateway::bench
