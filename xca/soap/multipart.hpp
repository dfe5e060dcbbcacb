#pragma once
// Media types and multipart/related bodies as MTOM uses them. What the parts mean is not known here.
// [RFC 2045 §5; RFC 2046 §5.1; RFC 2387; facts/query-exchange §1.4; threats.md M04–M07]

#include "xca/soap/envelope.hpp"

namespace xca::soap {

/// A Content-Type: names in lower case, values as written, quotes taken off.
struct MediaType {
  std::string name;  ///< `multipart/related`
  std::map<std::string, std::string, std::less<>> parameters;
  /// The value of a parameter, nothing where there is none.
  std::optional<std::string_view> parameter(std::string_view parameter_name) const;
  /// True without a charset or with UTF-8.
  bool is_utf8() const;
};
/// @error Errc::UnsupportedMediaType for doubled or continued parameters and whatever cannot be read
Result<MediaType> read_media_type(std::string_view header);

/// The parts of a multipart body in order, without preamble and epilogue. Parts in base64 are decoded.
/// LF line ends, a preamble and a missing final line end are accepted; what could be read in two ways is refused.
/// @param body  must outlive the parts
/// @error Errc::BadMultipart, Errc::TooManyParts
Result<std::vector<Part>> read_multipart(BytesView body, std::string_view boundary, const Limits& limits);

}  // namespace xca::soap
