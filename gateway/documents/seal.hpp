#pragma once
// The seal of a piece of content: made when it is filed, under a key that is not in the database, it proves the piece
// by itself and before it leaves, at a fifth of what SHA-256 of the whole costs. [NIST SP 800-38D, GMAC]

#include "certs/crypto.hpp"

namespace gateway::documents {

using base::Bytes;
using base::BytesView;
using base::Result;

/// What a seal is about: a piece in its place.
struct ContentPiece {
  std::string_view hash;  ///< of the whole content, SHA-256 in hexadecimal
  std::uint64_t size;     ///< of the whole content, octets
  std::int64_t number;    ///< 0…
  BytesView octets;
};

/// Copied for each thread.
class ContentSeal {
 public:
  /// @param text  64 hexadecimal digits, blanks around them. @error store::Errc::Unreadable
  static Result<ContentSeal> read(std::string_view text);
  static std::string fresh_key();  ///< as read() takes it

  /// 36 octets: which key, nonce, tag.
  Bytes over(const ContentPiece& piece);
  bool is_of_this_key(BytesView seal) const;
  /// Whether this very piece was sealed under this key.
  bool fits(BytesView seal, const ContentPiece& piece);

 private:
  explicit ContentSeal(BytesView key);
  Bytes tag(BytesView nonce, const ContentPiece& piece);

  certs::Gmac mac_;
  Bytes key_id_;
};

}  // namespace gateway::documents
