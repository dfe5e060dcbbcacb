#pragma once
// Reading the audit trail: search for staff, and verification of the chain against signatures and a witness.

#include "certs/crypto.hpp"
#include "gateway/audit/chain.hpp"
#include "gateway/audit/record.hpp"
#include "gateway/store/database.hpp"

#include <functional>

namespace gateway::audit {

/// What to look for; empty members do not narrow.
struct Search {
  std::optional<Instant> from = {}, to = {};
  std::string request = {}, clinic = {}, patient = {}, implementer = {}, outcome = {}, reason = {}, kind = {};
  std::size_t limit = 100;
  bool newest_first = true;
};
struct TrailRow {
  std::string node;
  std::uint64_t seq = 0;
  std::string kind, request;
  Instant at{};
  std::string clinic, patient, implementer, outcome, reason;
  std::string payload;  ///< canonical JSON; empty where retention deleted it
};
Result<std::vector<TrailRow>> search(store::Session& session, const Search& search);

/// What verification found. Problems are sentences that name node and sequence.
struct Verification {
  std::uint64_t entries = 0, checkpoints = 0, witnessed = 0;
  std::size_t nodes = 0;
  bool had_witness = false;
  std::uint64_t retained = 0;  ///< entries whose payload retention deleted
  std::vector<std::string> problems;  ///< at most 100
  bool sound() const { return problems.empty(); }
};
/// Walks every chain: gaps, hashes, commitments of payloads still there, payloads missing
/// though no retention said so, Merkle roots, checkpoint signatures, rows not
/// covered by a checkpoint, and, with the witness file's text, edits, truncation and restored old copies back to the
/// last witnessed head. @param progress  called with entries done, total; may be empty
Result<Verification> verify(store::Session& session, std::optional<std::string_view> witness,
                            const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});

}  // namespace gateway::audit
