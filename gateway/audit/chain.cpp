#include "gateway/audit/chain.hpp"

#include "certs/crypto.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <bit>

namespace gateway::audit {
namespace {

using base::BytesView;

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

std::optional<Bytes> read_hash(const rapidjson::Document& json, const char* name) {
  const auto found = json.FindMember(name);
  if (found == json.MemberEnd() || !found->value.IsString()) return std::nullopt;
  auto bytes = base::read_hex({found->value.GetString(), found->value.GetStringLength()});
  if (!bytes || bytes->size() != hash_size) return std::nullopt;
  return *std::move(bytes);
}

}  // namespace

Bytes commitment(BytesView salt, BytesView payload) { return certs::sha256(joined(salt, payload)); }

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
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> writer(out);
  const auto text = [&](const char* name, std::string_view value) {
    writer.Key(name);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  text("node", checkpoint.node);
  writer.Key("seq");
  writer.Uint64(checkpoint.seq);
  text("head", base::hex(checkpoint.head));
  text("root", base::hex(checkpoint.root));
  writer.Key("rows");
  writer.Uint64(checkpoint.rows);
  writer.Key("at");
  writer.Int64(base::to_micros(checkpoint.at));
  text("signature", base::base64(checkpoint.signature));
  writer.EndObject();
  return std::string(out.GetString(), out.GetSize()) + "\n";
}

std::optional<Checkpoint> read_witness_line(std::string_view line) {
  rapidjson::Document json;
  if (json.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size()).HasParseError() || !json.IsObject()) {
    return std::nullopt;
  }
  const auto node = json.FindMember("node"), seq = json.FindMember("seq"), rows = json.FindMember("rows"),
             at = json.FindMember("at"), signature = json.FindMember("signature"), end = json.MemberEnd();
  if (node == end || !node->value.IsString() || seq == end || !seq->value.IsUint64() || rows == end ||
      !rows->value.IsUint64() || at == end || !at->value.IsInt64() || signature == end ||
      !signature->value.IsString()) {
    return std::nullopt;
  }
  auto head = read_hash(json, "head"), root = read_hash(json, "root");
  auto signed_by = base::read_base64({signature->value.GetString(), signature->value.GetStringLength()}, 0);
  if (!head || !root || !signed_by) return std::nullopt;
  return Checkpoint{.node = {node->value.GetString(), node->value.GetStringLength()},
                    .seq = seq->value.GetUint64(),
                    .head = *std::move(head),
                    .root = *std::move(root),
                    .rows = rows->value.GetUint64(),
                    .at = base::from_micros(at->value.GetInt64()),
                    .signature = *std::move(signed_by)};
}

}  // namespace gateway::audit
