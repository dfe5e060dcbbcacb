#pragma once
// The transactions this gateway speaks, as one table. [facts/query-exchange §1.1]

#include <span>
#include <string_view>

namespace xca {

enum class Mtom { Unused, Required };
enum class Kind { PatientDiscovery, DeferredPatientDiscovery, CrossGatewayQuery, CrossGatewayRetrieve };

struct Transaction {
  Kind kind;
  std::string_view id;               ///< `ITI-55`
  std::string_view name;             ///< as the standard says it
  std::string_view request_action;   ///< wsa:Action
  std::string_view response_action;
  std::string_view payload_namespace, payload_name;  ///< the Body's root: must agree with the action
  Mtom mtom;
};

inline constexpr Transaction patient_discovery{
    .kind = Kind::PatientDiscovery, .id = "ITI-55", .name = "Cross Gateway Patient Discovery",
    .request_action = "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery",
    .response_action = "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
    .payload_namespace = "urn:hl7-org:v3", .payload_name = "PRPA_IN201305UV02", .mtom = Mtom::Unused};
/// Not offered: answered with an acknowledgement that says so. [§1.5]
inline constexpr Transaction deferred_patient_discovery{
    .kind = Kind::DeferredPatientDiscovery, .id = "ITI-55", .name = "Cross Gateway Patient Discovery, deferred",
    .request_action = "urn:hl7-org:v3:PRPA_IN201305UV02:Deferred:CrossGatewayPatientDiscovery",
    .response_action = "urn:hl7-org:v3:MCCI_IN000002UV01",
    .payload_namespace = "urn:hl7-org:v3", .payload_name = "PRPA_IN201305UV02", .mtom = Mtom::Unused};
inline constexpr Transaction cross_gateway_query{
    .kind = Kind::CrossGatewayQuery, .id = "ITI-38", .name = "Cross Gateway Query",
    .request_action = "urn:ihe:iti:2007:CrossGatewayQuery",
    .response_action = "urn:ihe:iti:2007:CrossGatewayQueryResponse",
    .payload_namespace = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0", .payload_name = "AdhocQueryRequest",
    .mtom = Mtom::Unused};
inline constexpr Transaction cross_gateway_retrieve{
    .kind = Kind::CrossGatewayRetrieve, .id = "ITI-39", .name = "Cross Gateway Retrieve",
    .request_action = "urn:ihe:iti:2007:CrossGatewayRetrieve",
    .response_action = "urn:ihe:iti:2007:CrossGatewayRetrieveResponse",
    .payload_namespace = "urn:ihe:iti:xds-b:2007", .payload_name = "RetrieveDocumentSetRequest",
    .mtom = Mtom::Required};

inline constexpr Transaction transactions[] = {patient_discovery, deferred_patient_discovery, cross_gateway_query,
                                               cross_gateway_retrieve};

}  // namespace xca
