#include "xca/hl7v3/echo_types.hpp"

#include "xca/hl7v3/lexical.hpp"

#include <array>

// echo_test.cpp holds these tables against the schemas.

namespace xca::hl7v3::schema {
namespace {

constexpr AttributeRule null_flavor[] = {{"nullFlavor", is_null_flavor}};
constexpr AttributeRule bl[] = {{"nullFlavor", is_null_flavor}, {"value", is_boolean}};
constexpr AttributeRule ii[] = {{"assigningAuthorityName", is_string},
                                {"displayable", is_boolean},
                                {"extension", is_string},
                                {"nullFlavor", is_null_flavor},
                                {"root", is_uid}};
constexpr AttributeRule tel[] = {{"nullFlavor", is_null_flavor}, {"use", is_telecom_use}, {"value", is_uri}};
constexpr AttributeRule ed[] = {{"language", is_code},
                                {"mediaType", is_plain_text_media_type},
                                {"nullFlavor", is_null_flavor},
                                {"representation", is_plain_text_representation}};
constexpr AttributeRule sc[] = {{"code", is_code},
                                {"codeSystem", is_uid},
                                {"codeSystemName", is_string},
                                {"codeSystemVersion", is_string},
                                {"displayName", is_string},
                                {"language", is_code},
                                {"mediaType", is_plain_text_media_type},
                                {"nullFlavor", is_null_flavor},
                                {"representation", is_plain_text_representation}};
constexpr AttributeRule cd[] = {{"code", is_code},
                                {"codeSystem", is_uid},
                                {"codeSystemName", is_string},
                                {"codeSystemVersion", is_string},
                                {"displayName", is_string},
                                {"nullFlavor", is_null_flavor}};
constexpr AttributeRule cs[] = {{"code", is_code}, {"nullFlavor", is_null_flavor}};
constexpr AttributeRule integer[] = {{"nullFlavor", is_null_flavor}, {"value", is_integer}};
constexpr AttributeRule pq[] = {{"nullFlavor", is_null_flavor}, {"unit", is_code}, {"value", is_decimal}};
constexpr AttributeRule ts[] = {{"nullFlavor", is_null_flavor}, {"value", is_timestamp}};
constexpr AttributeRule ivxb_ts[] = {
    {"inclusive", is_boolean}, {"nullFlavor", is_null_flavor}, {"value", is_timestamp}};
constexpr AttributeRule sxcm_ts[] = {
    {"nullFlavor", is_null_flavor}, {"operator", is_set_operator}, {"value", is_timestamp}};
constexpr AttributeRule ad[] = {{"isNotOrdered", is_boolean}, {"nullFlavor", is_null_flavor}, {"use", is_address_use}};
constexpr AttributeRule en[] = {{"nullFlavor", is_null_flavor}, {"use", is_name_use}};
constexpr AttributeRule address_part[] = {{"language", is_code},
                                          {"mediaType", is_plain_text_media_type},
                                          {"nullFlavor", is_null_flavor},
                                          {"partType", nullptr},
                                          {"representation", is_plain_text_representation}};
constexpr AttributeRule name_part[] = {
    {"language", is_code}, {"mediaType", is_plain_text_media_type}, {"nullFlavor", is_null_flavor},
    {"partType", nullptr}, {"qualifier", is_name_part_qualifier},   {"representation", is_plain_text_representation}};

constexpr ChildRule cd_children[] = {{"originalText", T::Ed}, {"translation", T::Cd, Times::Many}};
constexpr ChildRule cv_children[] = {{"originalText", T::Ed}};
constexpr ChildRule tel_children[] = {{"useablePeriod", T::SxcmTs, Times::Many}};
constexpr ChildRule ivl_children[] = {{"low", T::IvxbTs}, {"center", T::Ts}, {"width", T::Pq}, {"high", T::IvxbTs}};
constexpr ChildRule en_children[] = {{"validTime", T::IvlTs}};

constexpr ChildRule ad_part(std::string_view name, std::string_view code) {
  return {name, T::AddressPart, Times::Many, {}, code};
}
constexpr ChildRule en_part(std::string_view name, std::string_view code) {
  return {name, T::NamePart, Times::Many, {}, code};
}
constexpr ChildRule ad_parts[] = {ad_part("streetAddressLine", "SAL"),
                                  ad_part("city", "CTY"),
                                  ad_part("state", "STA"),
                                  ad_part("postalCode", "ZIP"),
                                  ad_part("country", "CNT"),
                                  ad_part("county", "CPA"),
                                  ad_part("houseNumber", "BNR"),
                                  ad_part("houseNumberNumeric", "BNN"),
                                  ad_part("buildingNumberSuffix", "BNS"),
                                  ad_part("direction", "DIR"),
                                  ad_part("streetName", "STR"),
                                  ad_part("streetNameBase", "STB"),
                                  ad_part("streetNameType", "STTYP"),
                                  ad_part("additionalLocator", "ADL"),
                                  ad_part("unitID", "UNID"),
                                  ad_part("unitType", "UNIT"),
                                  ad_part("careOf", "CAR"),
                                  ad_part("censusTract", "CEN"),
                                  ad_part("deliveryAddressLine", "DAL"),
                                  ad_part("postBox", "POB"),
                                  ad_part("precinct", "PRE"),
                                  ad_part("delimiter", "DEL")};
constexpr ChildRule en_parts[] = {en_part("given", "GIV"), en_part("family", "FAM"), en_part("prefix", "PFX"),
                                  en_part("suffix", "SFX"), en_part("delimiter", "DEL")};
constexpr std::span<const ChildRule> on_parts(en_parts + 2, 3);

constexpr ChildRule realm{"realmCode", T::Cs, Times::Many}, type_id{"typeId", T::Ii},
    template_id{"templateId", T::Ii, Times::Many};

/// A parameter: infrastructure, its values, and the text that names it.
constexpr std::array<ChildRule, 5> parameter(T value, std::string_view semantics, Times times = Times::Many) {
  return {{realm,
           type_id,
           template_id,
           {"value", value, times, "<value></value>"},
           {"semanticsText", T::St, Times::Once, semantics}}};
}
constexpr auto gender = parameter(T::Ce, "<semanticsText>LivingSubject.administrativeGender</semanticsText>");
constexpr auto birth_place_address = parameter(T::Ad, "<semanticsText>LivingSubject.BirthPlace.Addr</semanticsText>");
constexpr auto birth_place_name =
    parameter(T::En, "<semanticsText>LivingSubject.BirthPlace.Place.Name</semanticsText>");
constexpr auto birth_time = parameter(T::IvlTs, "<semanticsText>LivingSubject.birthTime</semanticsText>");
constexpr auto deceased_time = parameter(T::IvlTs, "<semanticsText>LivingSubject.deceasedTime</semanticsText>");
constexpr auto living_subject_id = parameter(T::Ii, "<semanticsText>LivingSubject.id</semanticsText>");
constexpr auto name_parameter = parameter(T::En, "<semanticsText>LivingSubject.name</semanticsText>");
constexpr auto maiden_name = parameter(T::Pn, "<semanticsText>Person.MothersMaidenName</semanticsText>");
constexpr auto scoping = parameter(T::Ii, "<semanticsText>OtherIDs.scopingOrganization.id</semanticsText>");
constexpr auto address = parameter(T::Ad, "<semanticsText>Patient.addr</semanticsText>");
constexpr auto status_code = parameter(T::Cv, "<semanticsText>Patient.statusCode</semanticsText>", Times::Once);
constexpr auto telecom = parameter(T::Tel, "<semanticsText>Patient.telecom</semanticsText>");
constexpr auto provider_id = parameter(T::Ii, {});
constexpr auto provision_id = parameter(T::Ii, "<semanticsText>PrincipalCareProvision.id</semanticsText>");

constexpr ChildRule parameters[] = {realm,
                                    type_id,
                                    template_id,
                                    {"id", T::Ii},
                                    {"livingSubjectAdministrativeGender", T::Gender, Times::Many},
                                    {"livingSubjectBirthPlaceAddress", T::BirthPlaceAddress, Times::Many},
                                    {"livingSubjectBirthPlaceName", T::BirthPlaceName, Times::Many},
                                    {"livingSubjectBirthTime", T::BirthTime, Times::Many},
                                    {"livingSubjectDeceasedTime", T::DeceasedTime, Times::Many},
                                    {"livingSubjectId", T::LivingSubjectId, Times::Many},
                                    {"livingSubjectName", T::Name, Times::Many},
                                    {"mothersMaidenName", T::MaidenName, Times::Many},
                                    {"otherIDsScopingOrganization", T::ScopingOrganization, Times::Many},
                                    {"patientAddress", T::Address, Times::Many},
                                    {"patientStatusCode", T::StatusCode, Times::Many},
                                    {"patientTelecom", T::Telecom, Times::Many},
                                    {"principalCareProviderId", T::ProviderId, Times::Many},
                                    {"principalCareProvisionId", T::ProvisionId, Times::Many}};

constexpr ChildRule text_criterion[] = {
    realm,
    type_id,
    template_id,
    {"value", T::Any, Times::Once,
     R"(<value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="ST"></value>)", "ST"},
    {"semanticsText", T::St, Times::Once, "<semanticsText></semanticsText>"}};
constexpr ChildRule number_criterion[] = {
    realm,
    type_id,
    template_id,
    {"value", T::Any, Times::Once,
     R"(<value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="INT"></value>)", "INT"},
    {"semanticsText", T::St, Times::Once, "<semanticsText></semanticsText>"}};
constexpr ChildRule criteria[] = {realm,
                                  type_id,
                                  template_id,
                                  {"id", T::Ii},
                                  {"matchAlgorithm", T::TextCriterion},
                                  {"matchWeight", T::NumberCriterion},
                                  {"minimumDegreeMatch", T::NumberCriterion}};
constexpr ChildRule sort_control[] = {
    realm, type_id, template_id, {"sequenceNumber", T::Int}, {"elementName", T::Sc}, {"directionCode", T::Cs}};
constexpr ChildRule query[] = {realm,
                               type_id,
                               template_id,
                               {"queryId", T::Ii, Times::Once, "<queryId nullFlavor=\"NI\"></queryId>"},
                               {"statusCode", T::Cs, Times::Once, "<statusCode code=\"new\"></statusCode>"},
                               {"modifyCode", T::Cs},
                               {"responseElementGroupId", T::Ii, Times::Many},
                               {"responseModalityCode", T::Cs},
                               {"responsePriorityCode", T::Cs},
                               {"initialQuantity", T::Int},
                               {"initialQuantityCode", T::Ce},
                               {"executionAndDeliveryTime", T::Ts},
                               {"matchCriterionList", T::CriterionList},
                               {"parameterList", T::ParameterList, Times::Once, "<parameterList></parameterList>"},
                               {"sortControl", T::SortControl, Times::Many}};

constexpr Type element_type(T type, std::span<const ChildRule> children) {
  return {.type = type, .name = {}, .base = T::None, .attributes = null_flavor, .children = children};
}

/// In the order of T.
constexpr Type types[] = {
    {.type = T::Any, .name = "ANY", .base = T::None, .attributes = null_flavor, .abstract = true},
    {.type = T::Bl, .name = "BL", .base = T::Any, .attributes = bl},
    {.type = T::Ii, .name = "II", .base = T::Any, .attributes = ii},
    {.type = T::Tel, .name = "TEL", .base = T::Any, .attributes = tel, .children = tel_children},
    {.type = T::Ed, .name = "ED", .base = T::Any, .attributes = ed, .text = true},
    {.type = T::St, .name = "ST", .base = T::Ed, .attributes = ed, .text = true},
    {.type = T::Sc, .name = "SC", .base = T::St, .attributes = sc, .text = true},
    {.type = T::Cd, .name = "CD", .base = T::Any, .attributes = cd, .children = cd_children},
    {.type = T::Ce, .name = "CE", .base = T::Cd, .attributes = cd, .children = cd_children},
    {.type = T::Cv, .name = "CV", .base = T::Ce, .attributes = cd, .children = cv_children},
    {.type = T::Cs, .name = "CS", .base = T::Cv, .attributes = cs},
    {.type = T::Qty, .name = "QTY", .base = T::Any, .attributes = null_flavor, .abstract = true},
    {.type = T::Int, .name = "INT", .base = T::Qty, .attributes = integer},
    {.type = T::Pq, .name = "PQ", .base = T::Qty, .attributes = pq},
    {.type = T::Ts, .name = "TS", .base = T::Qty, .attributes = ts},
    {.type = T::IvxbTs, .name = "IVXB_TS", .base = T::Ts, .attributes = ivxb_ts},
    {.type = T::SxcmTs, .name = "SXCM_TS", .base = T::Ts, .attributes = sxcm_ts},
    {.type = T::IvlTs,
     .name = "IVL_TS",
     .base = T::SxcmTs,
     .attributes = sxcm_ts,
     .children = ivl_children,
     .model = Model::Interval},
    {.type = T::Ad,
     .name = "AD",
     .base = T::Any,
     .attributes = ad,
     .parts = ad_parts,
     .children = tel_children,
     .text = true},
    {.type = T::En,
     .name = "EN",
     .base = T::Any,
     .attributes = en,
     .parts = en_parts,
     .children = en_children,
     .text = true},
    {.type = T::Pn,
     .name = "PN",
     .base = T::En,
     .attributes = en,
     .parts = en_parts,
     .children = en_children,
     .text = true},
    {.type = T::On,
     .name = "ON",
     .base = T::En,
     .attributes = en,
     .parts = on_parts,
     .children = en_children,
     .text = true},
    {.type = T::AddressPart, .name = {}, .base = T::None, .attributes = address_part, .text = true},
    {.type = T::NamePart, .name = {}, .base = T::None, .attributes = name_part, .text = true},
    element_type(T::Query, query),
    element_type(T::CriterionList, criteria),
    element_type(T::TextCriterion, text_criterion),
    element_type(T::NumberCriterion, number_criterion),
    {.type = T::ParameterList,
     .name = {},
     .base = T::None,
     .attributes = null_flavor,
     .children = parameters,
     .any_first_letter = true},
    element_type(T::SortControl, sort_control),
    element_type(T::Gender, gender),
    element_type(T::BirthPlaceAddress, birth_place_address),
    element_type(T::BirthPlaceName, birth_place_name),
    element_type(T::BirthTime, birth_time),
    element_type(T::DeceasedTime, deceased_time),
    element_type(T::LivingSubjectId, living_subject_id),
    element_type(T::Name, name_parameter),
    element_type(T::MaidenName, maiden_name),
    element_type(T::ScopingOrganization, scoping),
    element_type(T::Address, address),
    element_type(T::StatusCode, status_code),
    element_type(T::Telecom, telecom),
    element_type(T::ProviderId, provider_id),
    element_type(T::ProvisionId, provision_id),
};
static_assert(std::size(types) == static_cast<std::size_t>(T::None));
static_assert([] {
  for (std::size_t i = 0; i < std::size(types); ++i)
    if (types[i].type != static_cast<T>(i)) return false;
  return true;
}());

}  // namespace

const Type& type_of(T type) { return types[static_cast<std::size_t>(type)]; }

const Type* type_named(std::string_view name) {
  for (const Type& type : types)
    if (!name.empty() && type.name == name) return &type;
  return nullptr;
}

bool derives(const Type& type, T from) {
  for (T at = type.type; at != T::None; at = type_of(at).base)
    if (at == from) return true;
  return false;
}

}  // namespace xca::hl7v3::schema
