#pragma once
// The arithmetic of the audit chain: pure functions over hashes, so that another machine can verify with them.
// entry:      hash = SHA-256("gatehouse-audit-1" ‖ node ‖ 0 ‖ seq (8 octets, big endian) ‖ previous hash (32 octets;
//             zeros before seq 1) ‖ commitment)
// commitment: SHA-256(salt ‖ payload), or, where a tab divides the payload in two parts, of which one may be shown
//             without the other, SHA-256("gatehouse-parts-1" ‖ C(1) ‖ C(2)) with C(n) = SHA-256(S(n) ‖ part n) and
//             S(n) = SHA-256("gatehouse-part-1" ‖ n (1 octet) ‖ salt)
// commit:     root = Merkle tree hash over the commit's entry hashes [RFC 6962 §2.1 hashing: 0x00 leaf, 0x01 node]
// checkpoint: signature over "gatehouse-checkpoint-1" ‖ node ‖ 0 ‖ last seq ‖ head hash ‖ root ‖ rows ‖ at (micros)

#include "base/bytes.hpp"
#include "base/time.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gateway::audit {

using base::Bytes;

/// All hashes are raw 32 octets.
Bytes commitment(base::BytesView salt, base::BytesView payload);
/// Where a payload is divided: its first part, without the tab. Nothing for a payload that is one.
std::optional<base::BytesView> first_part(base::BytesView payload);
/// S(n) and C(n). @param part  1 or 2
Bytes part_salt(base::BytesView salt, unsigned part);
Bytes part_commitment(base::BytesView part_salt, base::BytesView part);
Bytes commitment_of_parts(base::BytesView first, base::BytesView second);
Bytes entry_hash(std::string_view node, std::uint64_t seq, base::BytesView previous, base::BytesView commitment);
Bytes merkle_root(std::span<const Bytes> leaves);
/// The siblings from leaf `index` to the root, lowest first.
std::vector<Bytes> merkle_path(std::span<const Bytes> leaves, std::size_t index);
/// @return  empty where the path is not one of that leaf in such a tree
Bytes merkle_root_from_path(base::BytesView leaf, std::size_t index, std::size_t leaves, std::span<const Bytes> path);

struct Checkpoint {
  std::string node;
  std::uint64_t seq = 0;
  Bytes head, root;
  std::uint64_t rows = 0;
  base::Instant at{};
  Bytes signature;
};
/// The octets a checkpoint's signature covers.
Bytes signed_bytes(const Checkpoint& checkpoint);

/// One line of the witness file, with its line end: JSON of a checkpoint. And back.
std::string witness_line(const Checkpoint& checkpoint);
std::optional<Checkpoint> read_witness_line(std::string_view line);

}  // namespace gateway::audit
