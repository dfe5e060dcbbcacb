#pragma once
// The value spaces of HL7 V3 attributes as xca/schema/hl7v3.xsd gives them: what may be written, judged without regex.
// Where XSD would collapse white space first, these say no: never wider than the schema.

#include <cstddef>
#include <string_view>

namespace xca::hl7v3 {

bool is_null_flavor(std::string_view text) noexcept;
bool is_boolean(std::string_view text) noexcept;
bool is_code(std::string_view text) noexcept;       ///< cs: no white space
bool is_string(std::string_view text) noexcept;     ///< st: not empty
bool is_uid(std::string_view text) noexcept;        ///< OID, UUID or registered name
bool is_timestamp(std::string_view text) noexcept;  ///< ts
bool is_integer(std::string_view text) noexcept;
bool is_decimal(std::string_view text) noexcept;
/// xs:anyURI as both Xerces and libxml2 take it; narrower than either.
bool is_uri(std::string_view text) noexcept;
bool is_set_operator(std::string_view text) noexcept;
bool is_telecom_use(std::string_view text) noexcept;  ///< a list, as the following
bool is_address_use(std::string_view text) noexcept;
bool is_name_use(std::string_view text) noexcept;
bool is_name_part_qualifier(std::string_view text) noexcept;
bool is_plain_text_representation(std::string_view text) noexcept;
bool is_plain_text_media_type(std::string_view text) noexcept;

/// Characters, not bytes, of well-formed UTF-8.
std::size_t characters(std::string_view text) noexcept;
/// False for control characters and for format characters that no reader sees: such an identifier is two. [threats X10]
bool is_visible(std::string_view text) noexcept;

}  // namespace xca::hl7v3
