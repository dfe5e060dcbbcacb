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

Result<void> insert_content(store::Session& session, const std::string& sha256_hex, BytesView bytes) {
  const auto held = TRY(session.select("SELECT hash FROM contents WHERE hash = :p1", "t", {sha256_hex}));
  if (!held.empty()) return {};
  TRY(session.execute("INSERT INTO contents (hash, size) VALUES (:p1, :p2)",
                      {sha256_hex, static_cast<std::int64_t>(bytes.size())}));
  std::int64_t piece = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece_octets) {
    TRY(session.execute("INSERT INTO content_pieces (hash, piece, bytes) VALUES (:p1, :p2, :p3)",
                        {sha256_hex, piece++, store::Blob{Bytes(bytes.substr(at, piece_octets))}}));
  }
  return {};
}

Result<Bytes> ContentReader::next() {
  auto* session = TRY(database_.session());
  auto rows = TRY(session->select("SELECT bytes FROM content_pieces WHERE hash = :p1 AND piece = :p2", "b",
                                  {content_.sha256, piece_++}, 1));
  if (rows.empty() || rows[0].is_null(0)) return fail(store::Errc::Unreadable, "a piece of content is missing");
  auto octets = rows[0].take_bytes(0);
  given_ += octets.size();
  if (octets.empty() || given_ > content_.size) return fail(store::Errc::Unreadable, "content of another size");
  hash_.update(octets);
  if (given_ == content_.size && base::hex(hash_.finish()) != content_.sha256)
    return fail(store::Errc::Unreadable, "content differs from its hash");
  return octets;
}

Result<Bytes> read_whole(net::Source& source) {
  Bytes all;
  while (all.size() < source.size()) all += TRY(source.next());
  return all;
}

}  // namespace gateway::documents
