#include "xca/hl7v3/echo.hpp"

#include "base/xml/canonical.hpp"
#include "xca/hl7v3/lexical.hpp"
#include "xca/soap/envelope.hpp"

#include <array>
#include <span>

// The tables below say what xca/schema/hl7v3.xsd says of queryByParameter; echo_test.cpp holds them against it.

namespace xca::hl7v3 {
namespace {

using base::xml::Element;

enum class T {
  Any,
  Bl,
  Ii,
  Tel,
  Ed,
  St,
  Sc,
  Cd,
  Ce,
  Cv,
  Cs,
  Qty,
  Int,
  Pq,
  Ts,
  IvxbTs,
  SxcmTs,
  IvlTs,
  Ad,
  En,
  Pn,
  On,
  AddressPart,
  NamePart,
  Query,
  CriterionList,
  TextCriterion,
  NumberCriterion,
  ParameterList,
  SortControl,
  Gender,
  BirthPlaceAddress,
  BirthPlaceName,
  BirthTime,
  DeceasedTime,
  LivingSubjectId,
  Name,
  MaidenName,
  ScopingOrganization,
  Address,
  StatusCode,
  Telecom,
  ProviderId,
  ProvisionId,
  None,
};

struct AttributeRule {
  std::string_view name;
  bool (*allows)(std::string_view);  ///< nullptr: the value is the part's own code
};

/// How often an element may stand.
enum class Times { Once, Many };

struct ChildRule {
  std::string_view name;
  T type;
  Times times = Times::Once;
  std::string_view filler = {};  ///< written where the schema demands the element and there is none
  std::string_view code = {};    ///< the only value of @partType; for ANY the type of a value that names none
};

/// Which of its children an element may hold together.
enum class Model { Sequence, Interval };

struct Type {
  T type;
  std::string_view name;  ///< as xsi:type names it; empty for types it cannot name
  T base;
  std::span<const AttributeRule> attributes;  ///< by name
  std::span<const ChildRule> parts = {};      ///< in any order, before the children
  std::span<const ChildRule> children = {};   ///< in schema order
  bool text = false;                          ///< text may stand where there are no elements
  bool abstract = false;
  Model model = Model::Sequence;
  bool any_first_letter = false;  ///< child names may begin with a capital: IHE's own sample (quirks.md)
};

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

const Type& type_of(T type) { return types[static_cast<std::size_t>(type)]; }

bool derives(const Type& type, T from) {
  for (T at = type.type; at != T::None; at = type_of(at).base)
    if (at == from) return true;
  return false;
}

/// The type that xsi:type gives an element in place of the declared one; nothing where it may not.
const Type* named_type(const Element& element, const Type& declared) {
  if (declared.name.empty()) return nullptr;
  const auto written = element.attribute(soap::ns::xsi, "type");
  if (!written) return nullptr;
  std::string_view name = *written;
  std::string_view prefix;
  if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    prefix = name.substr(0, colon);
    name.remove_prefix(colon + 1);
  }
  if (element.namespace_of_prefix(prefix).value_or("") != soap::ns::hl7) return nullptr;
  for (const Type& type : types)
    if (type.name == name) return !type.abstract && derives(type, declared.type) ? &type : nullptr;
  return nullptr;
}

const Type& type_by_name(std::string_view name) {
  for (const Type& type : types)
    if (type.name == name) return type;
  return type_of(T::St);
}

bool same_name(std::string_view written, std::string_view name, bool any_first_letter) {
  if (written == name) return true;
  return any_first_letter && !written.empty() && (written[0] | 0x20) == name[0] && written.substr(1) == name.substr(1);
}

struct Child {
  std::string_view name;
  Element element;
};

/// Whether xmlns:xsi has been written on an element around.
enum class Xsi { NotYet, Declared };

class Echo {
 public:
  explicit Echo(std::string& out) : out_(out) {}
  void element(const Element& element, const ChildRule& rule, Xsi around);

 private:
  void attributes(const Element& element, const Type& type, const ChildRule& rule);
  void content(const Element& element, const Type& type, Xsi around);
  void sequence(const std::vector<Child>& children, const Type& type, Xsi around);
  void interval(const std::vector<Child>& children, Xsi around);
  std::string& out_;
};

void Echo::element(const Element& element, const ChildRule& rule, Xsi around) {
  const Type& declared = type_of(rule.type);
  const Type* named = named_type(element, declared);
  if (!named && declared.abstract) named = &type_by_name(rule.code);
  const Type& type = named ? *named : declared;
  out_ += '<';
  out_ += rule.name;
  if (named && around == Xsi::NotYet) out_ += " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
  attributes(element, type, rule);
  if (named) {
    out_ += " xsi:type=\"";
    out_ += named->name;
    out_ += '"';
    around = Xsi::Declared;
  }
  out_ += '>';
  content(element, type, around);
  out_ += "</";
  out_ += rule.name;
  out_ += '>';
}

void Echo::attributes(const Element& element, const Type& type, const ChildRule& rule) {
  for (const AttributeRule& attribute : type.attributes) {
    const auto value = element.attribute(attribute.name);
    if (!value || !(attribute.allows ? attribute.allows(*value) : *value == rule.code)) continue;
    out_ += ' ';
    out_ += attribute.name;
    out_ += "=\"";
    base::xml::append_attribute(out_, *value);
    out_ += '"';
  }
}

void Echo::content(const Element& element, const Type& type, Xsi around) {
  if (type.text && !element.first_child()) {
    if (const auto text = element.text()) base::xml::append_text(out_, *text);
    return;
  }
  if (type.parts.empty() && type.children.empty()) return;
  std::vector<Child> children;
  children.reserve(8);
  for (auto child = element.first_child(); child; child = child->next_sibling())
    if (child->namespace_uri() == soap::ns::hl7) children.push_back({child->local_name(), *child});
  if (type.model == Model::Interval)
    interval(children, around);
  else
    sequence(children, type, around);
}

void Echo::sequence(const std::vector<Child>& children, const Type& type, Xsi around) {
  if (!type.parts.empty())
    for (const Child& child : children)
      for (const ChildRule& part : type.parts)
        if (child.name == part.name) element(child.element, part, around);
  for (const ChildRule& rule : type.children) {
    bool written = false;
    for (const Child& child : children) {
      if (written && rule.times == Times::Once) break;
      if (!same_name(child.name, rule.name, type.any_first_letter)) continue;
      element(child.element, rule, around);
      written = true;
    }
    if (!written) out_ += rule.filler;
  }
}

/// IVL_TS allows low, high, low–width, low–high, width, width–high, center, center–width.
void Echo::interval(const std::vector<Child>& children, Xsi around) {
  const auto [low, center, width, high] =
      std::tuple{ivl_children[0], ivl_children[1], ivl_children[2], ivl_children[3]};
  const auto find = [&](const ChildRule& rule) {
    for (const Child& child : children)
      if (child.name == rule.name) return std::optional(child.element);
    return std::optional<Element>();
  };
  const auto has_low = find(low), has_center = find(center), has_width = find(width), has_high = find(high);
  if (has_low) {
    element(*has_low, low, around);
    if (has_high)
      element(*has_high, high, around);
    else if (has_width)
      element(*has_width, width, around);
  } else if (has_center && !has_high) {
    element(*has_center, center, around);
    if (has_width) element(*has_width, width, around);
  } else {
    if (has_width) element(*has_width, width, around);
    if (has_high) element(*has_high, high, around);
  }
}

}  // namespace

std::string echo(const Element& query_by_parameter) {
  std::string out;
  out.reserve(2048);
  Echo(out).element(query_by_parameter, {"queryByParameter", T::Query}, Xsi::NotYet);
  return out;
}

}  // namespace xca::hl7v3
