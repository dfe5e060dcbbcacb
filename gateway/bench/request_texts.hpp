#pragma once
// The texts requests of the bench are put together from, with `{name}` where a value goes. What is signed
// stands in exclusive canonical form: no self-closing tags, declarations first, attributes in order. The token has all
// NHIN attributes and an authorization decision with evidence, as production clients send them.
// [facts/query-exchange §4]

#include <string_view>

namespace gateway::bench::texts {

inline constexpr std::string_view timestamp =
    R"(<wsu:Timestamp)"
    R"( xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd")"
    R"( wsu:Id="{id}">)"
    R"(<wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>)";

/// Without its signature and without the ds:KeyInfo of the confirmed subject.
inline constexpr std::string_view assertion =
    R"(<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" IssueInstant="{created}")"
    R"( Version="2.0">)"
    R"(<saml2:Issuer)"
    R"( Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">)"
    R"(CN=gateway.riverside.example,OU=CAREQUALITY,O=Riverside Hospital,C=US</saml2:Issuer>)"
    R"(<saml2:Subject><saml2:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">)"
    R"(UID=user{serial},OU=CAREQUALITY,O=Riverside Hospital,C=US</saml2:NameID>)"
    R"(<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key">)"
    R"(<saml2:SubjectConfirmationData></saml2:SubjectConfirmationData></saml2:SubjectConfirmation></saml2:Subject>)"
    R"(<saml2:Conditions NotBefore="{created}" NotOnOrAfter="{expires}"><saml2:AudienceRestriction>)"
    R"(<saml2:Audience>{audience}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>)"
    R"(<saml2:AuthnStatement AuthnInstant="{created}" SessionIndex="{serial}">)"
    R"(<saml2:SubjectLocality Address="192.0.2.17" DNSName="workstation.riverside.example"></saml2:SubjectLocality>)"
    R"(<saml2:AuthnContext><saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509)"
    R"(</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement><saml2:AttributeStatement>)"
    R"(<saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:subject-id")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">)"
    R"(<saml2:AttributeValue>Jennifer Parker {serial}</saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:organization")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">)"
    R"(<saml2:AttributeValue>Riverside Hospital</saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:organization-id")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">)"
    R"(<saml2:AttributeValue>urn:oid:{home}</saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:nhin:names:saml:homeCommunityId")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">)"
    R"(<saml2:AttributeValue>urn:oid:{home}</saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:ihe:iti:xca:2010:homeCommunityId")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">)"
    R"(<saml2:AttributeValue>urn:oid:{home}</saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"><saml2:AttributeValue>)"
    R"(<hl7:Role xmlns:hl7="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" code="46255001")"
    R"( codeSystem="2.16.840.1.113883.6.96" codeSystemName="SNOMED_CT" displayName="Pharmacist" xsi:type="hl7:CE">)"
    R"(</hl7:Role></saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:purposeofuse")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"><saml2:AttributeValue>)"
    R"(<hl7:PurposeOfUse xmlns:hl7="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance")"
    R"( code="TREATMENT" codeSystem="2.16.840.1.113883.3.18.7.1" codeSystemName="nhin-purpose")"
    R"( displayName="Treatment" xsi:type="hl7:CE"></hl7:PurposeOfUse></saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:resource:resource-id")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">)"
    R"(<saml2:AttributeValue>{patient}^^^&amp;{home}&amp;ISO</saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="urn:oasis:names:tc:xspa:2.0:subject:npi")"
    R"( NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">)"
    R"(<saml2:AttributeValue>123{serial}</saml2:AttributeValue></saml2:Attribute>)"
    R"(</saml2:AttributeStatement>)"
    R"(<saml2:AuthzDecisionStatement Decision="Permit" Resource="{audience}">)"
    R"(<saml2:Action Namespace="urn:oasis:names:tc:SAML:1.0:action:rwedc">Execute</saml2:Action><saml2:Evidence>)"
    R"(<saml2:Assertion ID="_{evidence}" IssueInstant="{created}" Version="2.0">)"
    R"(<saml2:Issuer)"
    R"( Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">)"
    R"(CN=gateway.riverside.example,OU=CAREQUALITY,O=Riverside Hospital,C=US</saml2:Issuer>)"
    R"(<saml2:Conditions NotBefore="{created}" NotOnOrAfter="{expires}"></saml2:Conditions>)"
    R"(<saml2:AttributeStatement>)"
    R"(<saml2:Attribute Name="AccessConsentPolicy" NameFormat="http://www.hhs.gov/healthit/nhin">)"
    R"(<saml2:AttributeValue>urn:oid:{home}.10.1</saml2:AttributeValue></saml2:Attribute>)"
    R"(<saml2:Attribute Name="InstanceAccessConsentPolicy" NameFormat="http://www.hhs.gov/healthit/nhin">)"
    R"(<saml2:AttributeValue>urn:oid:{home}.10.{serial}</saml2:AttributeValue></saml2:Attribute>)"
    R"(</saml2:AttributeStatement></saml2:Assertion></saml2:Evidence></saml2:AuthzDecisionStatement>)"
    R"(</saml2:Assertion>)";

inline constexpr std::string_view key_info =
    R"(<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:KeyValue><ds:RSAKeyValue>)"
    R"(<ds:Modulus>{modulus}</ds:Modulus>)"
    R"(<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>)"
    R"(<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>)";

inline constexpr std::string_view token_reference =
    R"(<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">)"
    R"(<wsse:SecurityTokenReference)"
    R"( xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd")"
    R"( xmlns:wsse11="http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd" )"
    R"(wsse11:TokenType="http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0">)"
    R"(<wsse:KeyIdentifier ValueType="http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID">)"
    R"({id}</wsse:KeyIdentifier></wsse:SecurityTokenReference></ds:KeyInfo>)";

inline constexpr std::string_view signature_open = R"(<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">)";

inline constexpr std::string_view enveloped_info =
    R"(<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">)"
    R"(<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>)"
    R"(<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>)"
    R"(<ds:Reference URI="#{id}"><ds:Transforms>)"
    R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>)"
    R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>)"
    R"(</ds:Transforms>)"
    R"(<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>)"
    R"(<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>)";

inline constexpr std::string_view plain_info =
    R"(<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">)"
    R"(<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>)"
    R"(<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>)"
    R"(<ds:Reference URI="#{id}"><ds:Transforms>)"
    R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>)"
    R"(</ds:Transforms>)"
    R"(<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>)"
    R"(<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>)";

inline constexpr std::string_view envelope_open =
    R"(<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope")"
    R"( xmlns:wsa="http://www.w3.org/2005/08/addressing"><soap:Header>)"
    R"(<wsa:To soap:mustUnderstand="true">{to}</wsa:To><wsa:Action soap:mustUnderstand="true">)"
    R"({action}</wsa:Action>)"
    R"(<wsa:MessageID>urn:uuid:{message}</wsa:MessageID><wsa:ReplyTo>)"
    R"(<wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:ReplyTo>)"
    R"(<wsse:Security)"
    R"( xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd")"
    R"( soap:mustUnderstand="true">)";

inline constexpr std::string_view body_open = R"(</wsse:Security></soap:Header><soap:Body>)";

inline constexpr std::string_view envelope_close = R"(</soap:Body></soap:Envelope>)";

inline constexpr std::string_view query =
    R"(<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance")"
    R"( ITSVersion="XML_1.0">)"
    R"(<id root="{asker}" extension="{message}"/><creationTime value="{now}"/>)"
    R"(<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/>)"
    R"(<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="AL"/>)"
    R"(<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="{asked}"/>)"
    R"(<name>receiver gateway</name><telecom value="{to}"/><asAgent classCode="AGNT">)"
    R"(<representedOrganization classCode="ORG" determinerCode="INSTANCE">)"
    R"(<id root="{asked}"/></representedOrganization></asAgent></device></receiver>)"
    R"(<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="{asker}"/>)"
    R"(<name>sender gateway</name><telecom value="https://gateway.riverside.example/ihe"/><asAgent classCode="AGNT">)"
    R"(<representedOrganization classCode="ORG" determinerCode="INSTANCE">)"
    R"(<id root="{asker}"/></representedOrganization></asAgent></device></sender>)"
    R"(<controlActProcess classCode="CACT" moodCode="EVN"><code code="PRPA_TE201305UV02")"
    R"( codeSystem="2.16.840.1.113883.1.6"/>)"
    R"(<authorOrPerformer typeCode="AUT"><assignedDevice classCode="ASSIGNED"><id root="{asker}"/></assignedDevice>)"
    R"(</authorOrPerformer>)"
    R"(<queryByParameter><queryId root="{asker}" extension="{query}"/><statusCode code="new"/>)"
    R"(<responseModalityCode code="R"/><responsePriorityCode code="I"/>)"
    R"(<matchCriterionList><minimumDegreeMatch><value xsi:type="INT" value="75"/>)"
    R"(<semanticsText>MinimumDegreeMatch</semanticsText></minimumDegreeMatch></matchCriterionList><parameterList>)"
    R"(<livingSubjectAdministrativeGender><value code="{gender}" codeSystem="2.16.840.1.113883.5.1")"
    R"( codeSystemName="AdministrativeGender"/><semanticsText)"
    R"( representation="TXT">LivingSubject.administrativeGender</semanticsText></livingSubjectAdministrativeGender>)"
    R"(<livingSubjectBirthTime><value value="{birth}"/><semanticsText)"
    R"( representation="TXT">LivingSubject.birthTime</semanticsText></livingSubjectBirthTime>)"
    R"(<livingSubjectId><value root="{asker}" extension="{id}" assigningAuthorityName="Riverside Hospital"/>)"
    R"(<semanticsText representation="TXT">LivingSubject.id</semanticsText></livingSubjectId>)"
    R"(<livingSubjectName><value use="L"><family>{family}</family><given>{given}</given><given>{middle}</given>)"
    R"(</value><semanticsText representation="TXT">LivingSubject.name</semanticsText></livingSubjectName>)"
    R"(<patientAddress><value use="HP"><streetAddressLine>{street}</streetAddressLine><city>{city}</city>)"
    R"(<state>{state}</state><postalCode>{postal}</postalCode><country>US</country></value>)"
    R"(<semanticsText representation="TXT">Patient.addr</semanticsText></patientAddress>)"
    R"(<patientTelecom><value use="HP" value="tel:{telephone}"/>)"
    R"(<semanticsText representation="TXT">Patient.telecom</semanticsText></patientTelecom>)"
    R"(</parameterList></queryByParameter></controlActProcess></PRPA_IN201305UV02>)";

inline constexpr std::string_view find_documents =
    R"(<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0")"
    R"( xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">)"
    R"(<query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>)"
    R"(<rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d" home="urn:oid:{asked}">)"
    R"(<rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList>)"
    R"(<rim:Value>'{mrn}^^^&amp;{authority}&amp;ISO'</rim:Value></rim:ValueList></rim:Slot>)"
    R"(<rim:Slot name="$XDSDocumentEntryStatus"><rim:ValueList>)"
    R"(<rim:Value>('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')</rim:Value></rim:ValueList></rim:Slot>)"
    R"(</rim:AdhocQuery></query:AdhocQueryRequest>)";

inline constexpr std::string_view retrieve_document =
    R"(<xds:RetrieveDocumentSetRequest xmlns:xds="urn:ihe:iti:xds-b:2007"><xds:DocumentRequest>)"
    R"(<xds:HomeCommunityId>urn:oid:{asked}</xds:HomeCommunityId>)"
    R"(<xds:RepositoryUniqueId>{repository}</xds:RepositoryUniqueId>)"
    R"(<xds:DocumentUniqueId>{document}</xds:DocumentUniqueId>)"
    R"(</xds:DocumentRequest></xds:RetrieveDocumentSetRequest>)";

inline constexpr std::string_view package_open =
    "--MIMEBoundary_bench\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n"
    "Content-Transfer-Encoding: binary\r\nContent-ID: <root@bench>\r\n\r\n";
inline constexpr std::string_view package_close = "\r\n--MIMEBoundary_bench--\r\n";

/// A C-CDA document up to its text, and what follows it.
inline constexpr std::string_view document_open =
    R"(<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3">)"
    R"(<templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2015-08-01"/><id root="{document}"/>)"
    R"(<code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summarization of Episode Note"/>)"
    R"(<title>Summary of care</title><effectiveTime value="20250601103000-0500"/>)"
    R"(<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="en-US"/>)"
    R"(<recordTarget><patientRole><id root="{authority}" extension="{mrn}"/><patient>)"
    R"(<name><given>{given}</given><family>{family}</family></name><administrativeGenderCode code="{gender}")"
    R"( codeSystem="2.16.840.1.113883.5.1"/><birthTime value="{birth}"/></patient></patientRole></recordTarget>)"
    R"(<author><time value="20250601"/><assignedAuthor><id root="2.16.840.1.113883.4.6" extension="1234567893"/>)"
    R"(<assignedPerson><name><given>Emmett</given><family>Brown</family></name></assignedPerson>)"
    R"(<representedOrganization><id root="{asked}"/><name>Hill Valley Clinic</name></representedOrganization>)"
    R"(</assignedAuthor></author><component><structuredBody><component><section><text>)";
inline constexpr std::string_view document_close =
    R"(</text></section></component></structuredBody></component></ClinicalDocument>)";

}  // namespace gateway::bench::texts
