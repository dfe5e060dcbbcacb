#pragma once
// Documents' octets by their SHA-256: filed once, in pieces; read one piece after the other and never all at once. What
// a document is, and who may have it, is not known here.

#include "gateway/documents/seal.hpp"
#include "gateway/net/body.hpp"
#include "gateway/store/database.hpp"
#include "xca/soap/answer.hpp"

namespace gateway::documents {

/// @error store::Errc::Unreadable for a size that cannot be that of octets with this hash
Result<xca::soap::StoredContent> stored_content(const std::string& sha256_hex, std::uint64_t size);

/// Files octets that are not held yet, in the caller's transaction.
Result<void> insert_content(store::Session& session, const std::string& sha256_hex, BytesView bytes,
                            std::optional<ContentSeal> seal);

/// Reads stored octets and proves them. Of content sealed under our key each piece is proved before it is given. Of
/// other content the last piece is given only where the hash of all is right, so that whoever has every octet has the
/// right ones. Each call of next() uses the session of its thread; between two of them neither transaction nor
/// statement is open.
class ContentReader final : public net::Source {
 public:
  ContentReader(store::Database& database, xca::soap::StoredContent content, std::optional<ContentSeal> seal)
      : database_(database), content_(std::move(content)), seal_(std::move(seal)) {}
  std::uint64_t size() const override { return content_.size; }
  /// @error store::Errc::Unreadable where a piece is missing, or its size, seal or hash differ;
  ///        store::Errc::Unavailable
  Result<Bytes> next() override;

 private:
  Result<void> prove(BytesView octets, BytesView seal);

  store::Database& database_;
  xca::soap::StoredContent content_;
  std::optional<ContentSeal> seal_;  ///< none from the first piece on that is not sealed under it
  certs::Hasher hash_{certs::Digest::Sha256};
  std::int64_t piece_ = 0;   ///< the next one's number
  std::uint64_t given_ = 0;  ///< octets
};

/// All octets at once, for what works on a whole document. @error those of ContentReader::next
Result<Bytes> read_whole(net::Source& source);

}  // namespace gateway::documents
