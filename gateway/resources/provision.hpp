#pragma once
// What a consent permits and forbids as FHIR R4 writes it: Consent.provision, as PCF basic, intermediate and advanced
// use it, and `class`, which PCF leaves out: classes and types of documents. `code`, what stands within them, is not
// evaluated. [facts/fhir §11]

#include "base/json/writer.hpp"
#include "gateway/resources/bundle.hpp"
#include "gateway/resources/calendar.hpp"
#include "policy/consent.hpp"

namespace gateway::resources {

/// A code system as our own records name it: by its OID, without `urn:oid:`, where it has one; else as it is written.
std::string system_of(std::string_view written);

/// Whether a document here could bear it as its class or type: none without system, nor of another kind of content.
bool is_document_class(const base::Code& code);

struct ReadProvision {
  policy::Provision provision;
  std::vector<std::string> not_evaluated = {};  ///< parts that will only ever refuse, each named as FHIR names it
};

struct ProvisionLimits {
  std::size_t depth = 8;       ///< exceptions of exceptions
  std::size_t provisions = 50;
  std::size_t values = 200;    ///< of one list
};

/// @param calendar  of the clinic: a date without zone is a day there, an end that is a date lasts through that day
/// @error Errc::FieldUnreadable (also for a period that holds no instant), Errc::TooMuch; a part that can be read and
///        not evaluated is no error
Result<ReadProvision> read_provision(base::json::Value provision, const Calendar& calendar,
                                     const ProvisionLimits& limits = {});

/// The same as JSON, every instant with its zone: read_provision gives back what was written.
std::string write_provision(const policy::Provision& provision);
/// The same as the value of a member or an item that is open in `writer`.
void write_provision(base::json::Writer& writer, const policy::Provision& provision);

}  // namespace gateway::resources
