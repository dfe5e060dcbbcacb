#pragma once
// Proofs of one answer, to be verified without our database: what the chain holds about a request, the Merkle paths to
// the roots of its commits, their signed checkpoints. [design §4; decisions/015]
// A bundle is one JSON text. Only the very bytes that canonical() writes are read; it carries no key.

#include "certs/crypto.hpp"
#include "gateway/audit/chain.hpp"
#include "gateway/audit/record.hpp"
#include "gateway/store/database.hpp"

namespace gateway::audit {

enum class ProofErrc {
  NothingKept = 1,   ///< no decision record of that request
  PayloadDeleted,    ///< retention, or somebody else
  NotDivided,        ///< a record of an earlier version, which cannot be shown in part
  ChainUnsound,      ///< what is stored does not prove itself
  NotAProof,         ///< not the bytes that canonical() writes
  WrongKey,          ///< a checkpoint that no given key signed
  NotInTheCommit,    ///< a row that is not under the root that was signed
  NotOneRequest,     ///< rows of several requests, none or several decision records
  NotWitnessed,      ///< the given witness has no such checkpoint
  OtherRequest,      ///< the given request is not the one that was answered
  OtherAnswer,       ///< the given answer is not the one that was given
};
boost::system::error_code make_error_code(ProofErrc) noexcept;

enum class ProofForm {
  Answer,   ///< what was answered to whom when; no verdict, reason or patient: may leave the house
  Officer,  ///< every event and the decision record, whole
};

struct ProvedRow {
  std::uint64_t seq = 0;
  Bytes previous;          ///< hash of the row before; empty for seq 1
  std::vector<Bytes> path;  ///< of this row's hash in its commit's tree
  Bytes salt;              ///< of what is shown: the row's own, or its first part's
  std::string shown;       ///< the payload, or its first part
  Bytes withheld;          ///< commitment of the second part; empty where all is shown
};
struct ProvedCommit {
  Checkpoint checkpoint;
  std::vector<ProvedRow> rows;  ///< in the order of the chain
};
struct Proof {
  ProofForm form = ProofForm::Answer;
  std::vector<ProvedCommit> commits;  ///< by node and seq
};

std::string canonical(const Proof& proof);
/// @error ProofErrc::NotAProof
Result<Proof> read_proof(std::string_view bundle);

/// @param request  its id, 32 hex digits
/// @error ProofErrc::NothingKept … ChainUnsound, store::Errc::…
Result<Proof> prove(store::Session& session, std::string_view request, ProofForm form);

/// What a proof is held against; all of it comes from elsewhere.
struct ProofEvidence {
  std::vector<certs::PublicKey> keys;              ///< audit keys, of several nodes where several wrote
  std::string_view request, answer;                ///< bodies of the HTTP messages
  std::optional<std::string_view> witness = {};    ///< text of a witness file
};
/// What is proved.
struct Proved {
  ProofForm form = ProofForm::Answer;
  std::string request = {};
  Instant at{};
  std::string transaction = {}, implementer = {}, home = {}, organization = {};
  std::vector<std::string> documents = {};  ///< SHA-256 hex of each
  std::vector<std::string> shown = {};      ///< all payloads or parts, as committed
  std::string node = {};                    ///< where the decision record stands
  std::uint64_t seq = 0;
};
/// @error ProofErrc::NotAProof … OtherAnswer
Result<Proved> check_proof(std::string_view bundle, const ProofEvidence& evidence);

}  // namespace gateway::audit

namespace boost::system {
template <>
struct is_error_code_enum<gateway::audit::ProofErrc> : std::true_type {};
}  // namespace boost::system
