#include "gateway/audit/chain.hpp"

#include "base/json/document.hpp"
#include "base/json/writer.hpp"
#include "certs/crypto.hpp"

#include <bit>

namespace gateway::audit {
namespace {

using base::BytesView;
using base::Result;

constexpr std::size_t hash_size = 32;

void append_number(Bytes& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift & 0xFF));
}

Bytes joined(std::string_view tag, BytesView left, BytesView right = {}) {
  Bytes bytes;
  bytes.reserve(tag.size() + left.size() + right.size());
  return bytes.append(tag).append(left).append(right);
}

/// RFC 6962 §2.1: the prefix keeps a node from being read as a leaf.
Bytes leaf_hash(BytesView leaf) { return certs::sha256(joined(std::string_view("\0", 1), leaf)); }
Bytes node_hash(BytesView left, BytesView right) {
  return certs::sha256(joined(std::string_view("\1", 1), left, right));
}

/// Where a tree of n > 1 leaves is cut: the largest power of two below n.
std::size_t cut(std::size_t leaves) { return std::bit_floor(leaves - 1); }

Result<Bytes> read_hash(const base::json::Value& json, std::string_view name) {
  auto bytes = TRY(base::read_hex(TRY(json.string_member(name))));
  if (bytes.size() != hash_size) return base::fail(base::BytesErrc::NotHex);
  return bytes;
}

Result<Checkpoint> read_checkpoint(const base::json::Value& json) {
  const auto seq = TRY(json.integer_member("seq")), rows = TRY(json.integer_member("rows"));
  if (seq < 0 || rows < 0) return base::fail(base::json::Errc::WrongType);
  const auto node = TRY(json.string_member("node"));
  const auto at = TRY(json.integer_member("at"));
  auto head = TRY(read_hash(json, "head")), root = TRY(read_hash(json, "root"));
  auto signature = TRY(base::read_base64(TRY(json.string_member("signature")), 0));
  return Checkpoint{.node = std::string(node),
                    .seq = static_cast<std::uint64_t>(seq),
                    .head = std::move(head),
                    .root = std::move(root),
                    .rows = static_cast<std::uint64_t>(rows),
                    .at = base::from_micros(at),
                    .signature = std::move(signature)};
}

}  // namespace

Bytes commitment(BytesView salt, BytesView payload) {
  const auto first = first_part(payload);
  if (!first) return certs::sha256(joined(salt, payload));
  return commitment_of_parts(part_commitment(part_salt(salt, 1), *first),
                             part_commitment(part_salt(salt, 2), payload.substr(first->size() + 1)));
}

std::optional<BytesView> first_part(BytesView payload) {
  const auto tab = payload.find('\t');
  return tab == BytesView::npos ? std::nullopt : std::optional(payload.substr(0, tab));
}

Bytes part_salt(BytesView salt, unsigned part) {
  return certs::sha256(joined("gatehouse-part-1", Bytes(1, static_cast<char>(part)), salt));
}

Bytes part_commitment(BytesView part_salt, BytesView part) { return certs::sha256(joined(part_salt, part)); }

Bytes commitment_of_parts(BytesView first, BytesView second) {
  return certs::sha256(joined("gatehouse-parts-1", first, second));
}

Bytes entry_hash(std::string_view node, std::uint64_t seq, BytesView previous, BytesView commitment) {
  constexpr std::string_view tag = "gatehouse-audit-1";
  Bytes bytes;
  bytes.reserve(tag.size() + node.size() + 9 + 2 * hash_size);
  bytes.append(tag).append(node).push_back('\0');
  append_number(bytes, seq);
  if (previous.empty()) {
    bytes.append(hash_size, '\0');
  } else {
    bytes.append(previous);
  }
  return certs::sha256(bytes.append(commitment));
}

Bytes merkle_root(std::span<const Bytes> leaves) {
  if (leaves.empty()) return certs::sha256({});
  if (leaves.size() == 1) return leaf_hash(leaves[0]);
  const auto left = cut(leaves.size());
  return node_hash(merkle_root(leaves.first(left)), merkle_root(leaves.subspan(left)));
}

std::vector<Bytes> merkle_path(std::span<const Bytes> leaves, std::size_t index) {
  if (leaves.size() <= 1) return {};
  const auto left = cut(leaves.size());
  auto path = index < left ? merkle_path(leaves.first(left), index) : merkle_path(leaves.subspan(left), index - left);
  path.push_back(index < left ? merkle_root(leaves.subspan(left)) : merkle_root(leaves.first(left)));
  return path;
}

Bytes merkle_root_from_path(BytesView leaf, std::size_t index, std::size_t leaves, std::span<const Bytes> path) {
  if (index >= leaves) return {};
  if (leaves == 1) return path.empty() ? leaf_hash(leaf) : Bytes{};
  if (path.empty()) return {};
  const auto left = cut(leaves);
  const auto below = path.first(path.size() - 1);
  const auto inner = index < left ? merkle_root_from_path(leaf, index, left, below)
                                  : merkle_root_from_path(leaf, index - left, leaves - left, below);
  if (inner.empty()) return {};
  return index < left ? node_hash(inner, path.back()) : node_hash(path.back(), inner);
}

Bytes signed_bytes(const Checkpoint& checkpoint) {
  Bytes bytes = "gatehouse-checkpoint-1";
  bytes.append(checkpoint.node).push_back('\0');
  append_number(bytes, checkpoint.seq);
  bytes.append(checkpoint.head).append(checkpoint.root);
  append_number(bytes, checkpoint.rows);
  append_number(bytes, static_cast<std::uint64_t>(base::to_micros(checkpoint.at)));
  return bytes;
}

std::string witness_line(const Checkpoint& checkpoint) {
  base::json::Writer json;
  json.begin_object();
  json.member("node", checkpoint.node).name("seq").integer(static_cast<std::int64_t>(checkpoint.seq));
  json.member("head", base::hex(checkpoint.head)).member("root", base::hex(checkpoint.root));
  json.name("rows").integer(static_cast<std::int64_t>(checkpoint.rows));
  json.name("at").integer(base::to_micros(checkpoint.at));
  json.member("signature", base::base64(checkpoint.signature)).end_object();
  return json.text() + "\n";
}

std::optional<Checkpoint> read_witness_line(std::string_view line) {
  const auto json = base::json::Document::parse(line);
  if (!json) return std::nullopt;
  auto checkpoint = read_checkpoint((*json)->root());
  return checkpoint ? std::optional(*std::move(checkpoint)) : std::nullopt;
}

}  // namespace gateway::audit
