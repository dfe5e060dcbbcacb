"""Namespaces, actions and identifiers of the standards, as this peer writes them."""

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XOP = "http://www.w3.org/2004/08/xop/include"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
HL7 = "urn:hl7-org:v3"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
XDS = "urn:ihe:iti:xds-b:2007"

PREFIXES = {"soap": SOAP, "wsa": WSA, "wsse": WSSE, "wsse11": WSSE11, "wsu": WSU, "saml2": SAML, "ds": DS, "xop": XOP,
            "hl7": HL7, "rim": RIM, "rs": RS, "query": QUERY, "xds": XDS, "xsi": XSI}

PATIENT_DISCOVERY = "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery"
PATIENT_DISCOVERY_ANSWER = "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery"
DEFERRED_PATIENT_DISCOVERY = "urn:hl7-org:v3:PRPA_IN201305UV02:Deferred:CrossGatewayPatientDiscovery"
ACCEPT_ACKNOWLEDGEMENT = "urn:hl7-org:v3:MCCI_IN000002UV01"
CROSS_GATEWAY_QUERY = "urn:ihe:iti:2007:CrossGatewayQuery"
CROSS_GATEWAY_QUERY_ANSWER = "urn:ihe:iti:2007:CrossGatewayQueryResponse"
CROSS_GATEWAY_RETRIEVE = "urn:ihe:iti:2007:CrossGatewayRetrieve"
CROSS_GATEWAY_RETRIEVE_ANSWER = "urn:ihe:iti:2007:CrossGatewayRetrieveResponse"

ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
NOWHERE = "http://www.w3.org/2005/08/addressing/none"
FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
STABLE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
ON_DEMAND = "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"
NHIN_PURPOSES = "2.16.840.1.113883.3.18.7.1"
ACT_REASON = "2.16.840.1.113883.5.8"

SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
PARTIAL_SUCCESS = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"


def q(prefixed):
    """`wsa:Action` as lxml names it: `{http://…}Action`."""
    prefix, local = prefixed.split(":")
    return f"{{{PREFIXES[prefix]}}}{local}"
