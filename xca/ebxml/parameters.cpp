#include "xca/ebxml/parameters.hpp"

#include "base/time.hpp"
#include "xca/ebxml/schemes.hpp"

#include <algorithm>

namespace xca::ebxml::parameters {
namespace {

constexpr std::size_t like_characters_max = 256, like_patterns_max = 16;

RegistryError refusal(RegistryErrorCode code, std::string_view parameter) { return {code, std::string(parameter)}; }

const Slots& slots_of(const StoredQuery& query, std::string_view parameter) {
  static const Slots none;
  const auto found = query.parameters.find(parameter);
  return found == query.parameters.end() ? none : found->second;
}

/// Several slots of a parameter that is only OR are read as one.
std::vector<std::string> all_values(const StoredQuery& query, std::string_view parameter) {
  std::vector<std::string> values;
  for (const auto& slot : slots_of(query, parameter)) values.insert(values.end(), slot.begin(), slot.end());
  return values;
}

/// `urn:uuid:` and lower case, whatever was written: what is no UUID is no object's id.
std::string uuid_sought(std::string_view written) {
  constexpr std::string_view urn = "urn:uuid:";
  std::string uuid(base::trim(written));
  std::ranges::transform(uuid, uuid.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return uuid.starts_with(urn) ? uuid : std::string(urn) + uuid;
}

/// `code^^scheme`. A bare code takes the scheme of the older `…Scheme` parameter, which CONNECT still sends
/// (quirks.md).
Read<Code> read_code(const StoredQuery& query, const Parameter& parameter, std::string_view value) {
  Code code;
  const std::size_t code_end = value.find('^');
  code.code = value.substr(0, code_end);
  if (code_end == std::string_view::npos) {
    auto schemes = all_values(query, std::string(parameter.name) + "Scheme");
    if (schemes.size() > 1) return refusal(RegistryErrorCode::StoredQueryParamNumber, parameter.name);
    if (!schemes.empty()) code.system = std::move(schemes.front());
  } else if (const std::size_t display_end = value.find('^', code_end + 1); display_end != std::string_view::npos) {
    code.system = value.substr(display_end + 1);
  }
  const bool half = code.system.empty() && code_end != std::string_view::npos;
  if (code.code.empty() || half) return refusal(RegistryErrorCode::RegistryError, parameter.name);
  return code;
}

Read<void> check_number(const std::vector<std::string>& ids, const Parameter& parameter) {
  if (ids.size() > ids_per_query_max) return refusal(RegistryErrorCode::TooManyResults, parameter.name);
  return {};
}

}  // namespace

Read<std::string> single(const StoredQuery& query, const Parameter& parameter) {
  auto values = all_values(query, parameter.name);
  return values.empty() ? std::string() : std::move(values.front());
}

Read<std::vector<std::string>> texts(const StoredQuery& query, const Parameter& parameter) {
  return all_values(query, parameter.name);
}

Read<Slots> text_lists(const StoredQuery& query, const Parameter& parameter) {
  return slots_of(query, parameter.name);
}

/// Peers write StatusType:Approved under other stems; what is not a status at all is ignored. [facts §3.1, §3.3]
Read<std::set<Availability>> status(const StoredQuery& query, const Parameter& parameter) {
  std::set<Availability> status;
  for (const std::string& value : all_values(query, parameter.name)) {
    const std::string_view name = std::string_view(value).substr(value.rfind(':') + 1);
    if (name == "Approved") status.insert(Availability::Approved);
    if (name == "Deprecated") status.insert(Availability::Deprecated);
  }
  if (status.empty()) return refusal(RegistryErrorCode::StoredQueryMissingParam, parameter.name);
  return status;
}

Read<std::set<EntryType>> entry_types(const StoredQuery& query, const Parameter& parameter) {
  const auto values = all_values(query, parameter.name);
  if (values.empty()) return std::set{EntryType::Stable};
  std::set<EntryType> types;
  for (const std::string& value : values) {
    const std::string uuid = uuid_sought(value);
    if (uuid == schemes::stable) types.insert(EntryType::Stable);
    if (uuid == schemes::on_demand) types.insert(EntryType::OnDemand);
  }
  return types;
}

Read<std::string> bound(const StoredQuery& query, const Parameter& parameter) {
  const auto values = all_values(query, parameter.name);
  if (values.empty()) return std::string();
  const auto instant = base::read_hl7_time(values.front());
  if (!instant) return refusal(RegistryErrorCode::RegistryError, parameter.name);
  return base::write_dtm(*instant);
}

Read<CodeLists> code_lists(const StoredQuery& query, const Parameter& parameter) {
  CodeLists lists;
  for (const auto& slot : slots_of(query, parameter.name)) {
    auto& list = lists.emplace_back();
    for (const std::string& value : slot) list.push_back(TRY(read_code(query, parameter, value)));
  }
  return lists;
}

Read<std::vector<Code>> codes(const StoredQuery& query, const Parameter& parameter) {
  std::vector<Code> codes;
  for (auto& list : TRY(code_lists(query, parameter))) codes.insert(codes.end(), list.begin(), list.end());
  return codes;
}

Read<std::vector<std::string>> patterns(const StoredQuery& query, const Parameter& parameter) {
  auto patterns = all_values(query, parameter.name);
  const auto too_long = [](const std::string& pattern) { return pattern.size() > like_characters_max; };
  if (patterns.size() > like_patterns_max || std::ranges::any_of(patterns, too_long))
    return refusal(RegistryErrorCode::RegistryError, parameter.name);
  return patterns;
}

Read<void> patient(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into) {
  auto patient = base::read_cx(TRY(single(query, parameter)));
  if (!patient) return refusal(RegistryErrorCode::RegistryError, parameter.name);
  into.patient = std::move(*patient);
  return {};
}

Read<void> uuids(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into) {
  const auto values = all_values(query, parameter.name);
  TRY(check_number(values, parameter));
  for (const std::string& value : values) into.uuids.push_back(uuid_sought(value));
  return {};
}

Read<void> unique_ids(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into) {
  into.unique_ids = all_values(query, parameter.name);
  return check_number(into.unique_ids, parameter);
}

/// A type that is not known relates no objects here.
Read<void> association_types(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into) {
  for (const std::string& value : all_values(query, parameter.name)) {
    if (const auto type = association_type(value)) into.association_types.insert(*type);
  }
  return {};
}

}  // namespace xca::ebxml::parameters
