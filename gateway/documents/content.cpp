#include "gateway/documents/content.hpp"

namespace gateway::documents {
namespace {

using base::fail;

constexpr std::size_t piece_octets = 120u << 10;  ///< with what an allocator adds still 128 KiB

}  // namespace

Result<xca::soap::StoredContent> stored_content(const std::string& sha256_hex, std::uint64_t size) {
  // Of no octets nothing is read, so nothing would be proved.
  if (size == 0 && base::hex(certs::sha256({})) != sha256_hex)
    return fail(store::Errc::Unreadable, "content without octets");
  return xca::soap::StoredContent{sha256_hex, size};
}

Result<void> insert_content(store::Session& session, const std::string& sha256_hex, BytesView bytes,
                            std::optional<ContentSeal> seal) {
  const auto held = TRY(session.select("SELECT hash FROM contents WHERE hash = :p1", "t", {sha256_hex}));
  if (!held.empty()) return {};
  TRY(session.execute("INSERT INTO contents (hash, size) VALUES (:p1, :p2)",
                      {sha256_hex, static_cast<std::int64_t>(bytes.size())}));
  std::int64_t piece = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece_octets) {
    const auto octets = bytes.substr(at, piece_octets);
    store::Value sealed;
    if (seal) sealed = store::Blob{seal->over({sha256_hex, bytes.size(), piece, octets})};
    TRY(session.execute("INSERT INTO content_pieces (hash, piece, bytes, seal) VALUES (:p1, :p2, :p3, :p4)",
                        {sha256_hex, piece++, store::Blob{Bytes(octets)}, std::move(sealed)}));
  }
  return {};
}

Result<Bytes> ContentReader::next() {
  auto* session = TRY(database_.session());
  auto rows = TRY(session->select("SELECT bytes, seal FROM content_pieces WHERE hash = :p1 AND piece = :p2", "bb",
                                  {content_.sha256, piece_}, 1));
  if (rows.empty() || rows[0].is_null(0)) return fail(store::Errc::Unreadable, "a piece of content is missing");
  auto octets = rows[0].take_bytes(0);
  given_ += octets.size();
  if (octets.empty() || given_ > content_.size) return fail(store::Errc::Unreadable, "content of another size");
  TRY(prove(octets, rows[0].is_null(1) ? Bytes() : rows[0].take_bytes(1)));
  ++piece_;
  return octets;
}

/// The first piece decides by what all of them are proved.
Result<void> ContentReader::prove(BytesView octets, BytesView seal) {
  if (seal_ && piece_ == 0 && !seal_->is_of_this_key(seal)) seal_.reset();
  if (seal_) {
    if (seal_->fits(seal, {content_.sha256, content_.size, piece_, octets})) return {};
    return fail(store::Errc::Unreadable, "a piece of content differs from its seal");
  }
  hash_.update(octets);
  if (given_ == content_.size && base::hex(hash_.finish()) != content_.sha256)
    return fail(store::Errc::Unreadable, "content differs from its hash");
  return {};
}

Result<Bytes> read_whole(net::Source& source) {
  Bytes all;
  while (all.size() < source.size()) all += TRY(source.next());
  return all;
}

}  // namespace gateway::documents
