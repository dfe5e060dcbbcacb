#pragma once
// What the header of a C-CDA document says, as XDS metadata. Of the body only codes are read, for the labels they mean.
// [CDA R2 §4.2; C-CDA R2.1 §1.1; ITI TF-3 §4.2.3.2; IHE PCC TF-2 §4.1]

#include "base/bytes.hpp"
#include "gateway/documents/labels.hpp"
#include "gateway/resources/calendar.hpp"
#include "xca/ebxml/registry.hpp"
#include "xca/hl7v3/person.hpp"

namespace gateway::documents {

using base::BytesView;
using base::Code;
using base::fail;
using base::Result;
using resources::Calendar;

enum class Errc {
  NotACda = 1,       ///< no ClinicalDocument
  HeaderIncomplete,  ///< id, code, effectiveTime or recordTarget missing
  HeaderUnreadable,  ///< one of them cannot be understood
  SeveralPatients,   ///< more than one recordTarget
  UniqueIdTaken,     ///< this document id is held with other bytes
  OtherPatient,      ///< this document is held for another patient
  TooLarge,
  NoSuchDocument,
  OnlyMetadata,            ///< an entry without its bytes
  ForeignAuthority,        ///< a submission for an id that this clinic does not issue
  UnknownReference,        ///< an association to what is not held
  OtherPatientsReference,  ///< an association to another patient's object
  DeprecatedReference,     ///< a new version of what has one
  UuidTaken,               ///< an entryUUID that is held already
  RenderFailed,
  ReasonMissing,           ///< labels changed by staff who state no reason
  BadLabel,                ///< a label that cannot be stored, or that is both added and taken away
};
boost::system::error_code make_error_code(Errc) noexcept;

/// What a document says. `entry` lacks what the shelf knows: entry_uuid, patient, repository, home.
struct CdaHeader {
  xca::ebxml::DocumentEntry entry;
  std::vector<base::Identifier> patient_ids;  ///< recordTarget/patientRole/id
  xca::hl7v3::Person person;                  ///< recordTarget
  Markings markings;  ///< of the whole document and of `entry`; incomplete where a parent is not known
  /// Unique ids of the documents this one replaces, adds to or was made from. [CDA R2 §4.2.3.9]
  std::vector<std::string> parents;
};

struct CdaLimits {
  std::size_t bytes = 32u << 20;
  std::size_t parents = 100;  ///< of more, the markings are incomplete
};

/// @param calendar  of the clinic: times without a zone are local. [CDA R2; quirks.md]
/// @error Errc::NotACda … Errc::SeveralPatients, Errc::TooLarge, base::xml::Errc
Result<CdaHeader> read_cda_header(BytesView bytes, const Calendar& calendar, const CdaLimits& limits = {});

/// Class code of a document type; the type's own code where no row of the table names it. [LOINC document ontology]
Code class_of_type(const Code& type);

}  // namespace gateway::documents

namespace boost::system {
template <>
struct is_error_code_enum<gateway::documents::Errc> : std::true_type {};
}  // namespace boost::system
