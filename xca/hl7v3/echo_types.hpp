#pragma once
// What the schema says of queryByParameter, as tables: for the echo alone. [xca/schema/hl7v3.xsd]

#include <span>
#include <string_view>

namespace xca::hl7v3::schema {

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

const Type& type_of(T type);
/// The data type of that name; nullptr where there is none.
const Type* type_named(std::string_view name);
/// True where `type` is `from`, or derived from it.
bool derives(const Type& type, T from);

}  // namespace xca::hl7v3::schema
