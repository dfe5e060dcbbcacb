#pragma once
// The directory as commands and pages change it: organizations, certificates of implementers, dated exceptions.
// Every change raises the directory's version in its own transaction.

#include "gateway/directory/shelf.hpp"
#include "gateway/resources/organization.hpp"

namespace gateway::directory {

enum class Errc {
  NoSuchOrganization = 1,
  UnknownSetting,  ///< not one of the closed list
  BadValue,        ///< not one of the setting's values
  ReasonMissing,
  EndMissing,        ///< an exception without an end, or one that has ended
  CertificateTaken,  ///< tied to another implementer
  NotATie,           ///< a key hash or subject that cannot be one
};
boost::system::error_code make_error_code(Errc) noexcept;

struct Organization {
  resources::DirectoryOrganization entry;
  std::string implementer;
  std::int64_t version = 0;
  Instant updated_at{};
};

/// Upserts the Organizations of a Bundle or NDJSON file and works out every implementer anew: the managing
/// organization where one is named, else the top of the partOf chain, else the organization itself.
Result<resources::ImportReport> import_directory(store::Database& database, base::BytesView file, Instant now);
Result<std::vector<Organization>> list_organizations(store::Database& database);
/// @error Errc::NoSuchOrganization
Result<Organization> show_organization(store::Database& database, std::string_view home);

/// How an implementer's certificates are known.
struct Tie {
  std::string implementer;
  std::string kind;   ///< certificate | key | subject
  std::string value;  ///< hex SHA-256 of DER or SPKI, or the RFC 2253 subject
  Instant added_at{};
};
/// Believed by exact DER, with or without a chain. @error Errc::NoSuchOrganization, Errc::CertificateTaken
Result<void> pin_certificate(store::Database& database, std::string_view implementer,
                             const certs::Certificate& certificate, Instant now);
/// Ties a key (hex SHA-256 of its SPKI) under a trusted chain. @error as pin_certificate, Errc::NotATie
Result<void> tie_key(store::Database& database, std::string_view implementer, std::string_view spki_sha256_hex,
                     Instant now);
/// Ties a subject (RFC 2253) under a trusted chain. @error as tie_key
Result<void> tie_subject(store::Database& database, std::string_view implementer, std::string_view subject,
                         Instant now);
/// @return false where there was none
Result<bool> untie(store::Database& database, std::string_view kind, std::string_view value);
Result<std::vector<Tie>> list_ties(store::Database& database, std::string_view implementer);

/// Every certificate that is believed by exact DER, of whatever implementer.
Result<std::vector<certs::Certificate>> list_pins(store::Database& database);

/// One setting of one implementer.
///
/// | name               | values                       | ends                       |
/// |--------------------|------------------------------|----------------------------|
/// | sha1               | allow                        | must end                   |
/// | bearer             | allow                        | must end                   |
/// | sender-vouches     | allow                        | must end                   |
/// | signed-parts       | timestamp, body, addressing, |                            |
/// |                    | body-and-addressing          | may end                    |
/// | issuer             | exact texts, `|` between     | may end                    |
/// | audience           | optional, required           | may end                    |
/// | response-signature | full, headers, none          | may end                    |
/// | schema             | strict, lenient              | may end                    |
/// | equal-sender       | required, off                | may end                    |
struct Setting {
  std::string name, value;
  std::optional<Instant> until = {};
  std::string reason;
};
/// @error Errc::NoSuchOrganization, Errc::UnknownSetting, Errc::BadValue, Errc::EndMissing, Errc::ReasonMissing
Result<void> set_setting(store::Database& database, std::string_view implementer, const Setting& setting, Instant now);
/// @return false where there was none
Result<bool> clear_setting(store::Database& database, std::string_view implementer, std::string_view name);
Result<std::vector<Setting>> list_settings(store::Database& database, std::string_view implementer);
/// Adds one setting to what is so far; false where it is not of the table.
bool apply(const Setting& setting, exchange::PartnerSettings& to);

}  // namespace gateway::directory

namespace boost::system {
template <>
struct is_error_code_enum<gateway::directory::Errc> : std::true_type {};
}  // namespace boost::system
