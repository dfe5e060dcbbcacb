#include "xca/ebxml/registry.hpp"

#include <algorithm>

// What the slots of FindDocuments and GetDocuments mean, and which entries answer. [facts/query-exchange §3.1–§3.3]

namespace xca::ebxml {
namespace {

constexpr std::size_t like_characters_max = 256, like_patterns_max = 16;
constexpr std::string_view stable_uuid = "7edca82f-054d-47f2-a032-9b2a5b5186c1";
constexpr std::string_view on_demand_uuid = "34268e47-fdf5-41a6-ba33-82133c465248";

/// What a parameter says, or the registry error that answers the query.
template <class T>
using Read = boost::system::result<T, RegistryError>;

RegistryError refusal(RegistryErrorCode code, std::string_view parameter) { return {code, std::string(parameter)}; }

const std::vector<std::vector<std::string>>& slots_of(const StoredQuery& query, std::string_view parameter) {
  static const std::vector<std::vector<std::string>> none;
  const auto found = query.parameters.find(parameter);
  return found == query.parameters.end() ? none : found->second;
}

std::vector<std::string> all_values(const StoredQuery& query, std::string_view parameter) {
  std::vector<std::string> values;
  for (const auto& slot : slots_of(query, parameter)) values.insert(values.end(), slot.begin(), slot.end());
  return values;
}

Read<std::string> single_value(const StoredQuery& query, std::string_view parameter) {
  auto values = all_values(query, parameter);
  if (values.size() > 1) return refusal(RegistryErrorCode::StoredQueryParamNumber, parameter);
  return values.empty() ? std::string() : values.front();
}

Read<base::Identifier> read_patient(const StoredQuery& query) {
  constexpr std::string_view parameter = "$XDSDocumentEntryPatientId";
  const std::string value = TRY(single_value(query, parameter));
  if (value.empty()) return refusal(RegistryErrorCode::StoredQueryMissingParam, parameter);
  auto patient = base::read_cx(value);
  if (!patient) return refusal(RegistryErrorCode::RegistryError, parameter);
  return std::move(*patient);
}

/// Peers write StatusType:Approved under other stems; what is not a status at all is ignored. [facts §3.1, §3.3]
Read<std::set<Availability>> read_status(const StoredQuery& query) {
  constexpr std::string_view parameter = "$XDSDocumentEntryStatus";
  std::set<Availability> status;
  for (const std::string& value : all_values(query, parameter)) {
    const std::string_view name = std::string_view(value).substr(value.rfind(':') + 1);
    if (name == "Approved") status.insert(Availability::Approved);
    if (name == "Deprecated") status.insert(Availability::Deprecated);
  }
  if (status.empty()) return refusal(RegistryErrorCode::StoredQueryMissingParam, parameter);
  return status;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string bare_uuid(std::string_view written) {
  std::string uuid = lower(base::trim(written));
  return uuid.starts_with("urn:uuid:") ? uuid.substr(9) : uuid;
}

std::set<EntryType> read_types(const StoredQuery& query) {
  const auto values = all_values(query, "$XDSDocumentEntryType");
  if (values.empty()) return {EntryType::Stable};
  std::set<EntryType> types;
  for (const std::string& value : values) {
    const std::string uuid = bare_uuid(value);
    if (uuid == stable_uuid) types.insert(EntryType::Stable);
    if (uuid == on_demand_uuid) types.insert(EntryType::OnDemand);
  }
  return types;
}

Read<std::string> read_bound(const StoredQuery& query, const std::string& parameter) {
  const std::string value = TRY(single_value(query, parameter));
  if (value.empty()) return std::string();
  const auto instant = base::read_hl7_time(value);
  if (!instant) return refusal(RegistryErrorCode::RegistryError, parameter);
  return base::write_dtm(*instant);
}

Read<TimeRange> read_range(const StoredQuery& query, const std::string& parameter) {
  TimeRange range;
  range.from = TRY(read_bound(query, parameter + "From"));
  range.to = TRY(read_bound(query, parameter + "To"));
  return range;
}

/// `code^^scheme`. A bare code takes the scheme of the older `…Scheme` parameter, which CONNECT still sends
/// (quirks.md).
Read<Code> read_code(const StoredQuery& query, const std::string& parameter, std::string_view value) {
  Code code;
  const std::size_t code_end = value.find('^');
  code.code = value.substr(0, code_end);
  if (code_end == std::string_view::npos) {
    code.system = TRY(single_value(query, parameter + "Scheme"));
  } else if (const std::size_t display_end = value.find('^', code_end + 1); display_end != std::string_view::npos) {
    code.system = value.substr(display_end + 1);
  }
  const bool half = code.system.empty() && code_end != std::string_view::npos;
  if (code.code.empty() || half) return refusal(RegistryErrorCode::RegistryError, parameter);
  return code;
}

Read<std::vector<std::vector<Code>>> read_code_lists(const StoredQuery& query, const std::string& parameter) {
  std::vector<std::vector<Code>> lists;
  for (const auto& slot : slots_of(query, parameter)) {
    auto& list = lists.emplace_back();
    for (const std::string& value : slot) list.push_back(TRY(read_code(query, parameter, value)));
  }
  return lists;
}

/// Several slots of a parameter that is only OR are read as one.
Read<std::vector<Code>> read_codes(const StoredQuery& query, const std::string& parameter) {
  std::vector<Code> codes;
  for (auto& list : TRY(read_code_lists(query, parameter))) codes.insert(codes.end(), list.begin(), list.end());
  return codes;
}

Read<std::vector<std::string>> read_patterns(const StoredQuery& query) {
  constexpr std::string_view parameter = "$XDSDocumentEntryAuthorPerson";
  auto patterns = all_values(query, parameter);
  const auto too_long = [](const std::string& pattern) { return pattern.size() > like_characters_max; };
  if (patterns.size() > like_patterns_max || std::any_of(patterns.begin(), patterns.end(), too_long))
    return refusal(RegistryErrorCode::RegistryError, parameter);
  return patterns;
}

Read<FindDocuments> find(const StoredQuery& query) {
  FindDocuments wanted;
  wanted.patient = TRY(read_patient(query));
  wanted.status = TRY(read_status(query));
  wanted.types = read_types(query);
  wanted.creation = TRY(read_range(query, "$XDSDocumentEntryCreationTime"));
  wanted.service_start = TRY(read_range(query, "$XDSDocumentEntryServiceStartTime"));
  wanted.service_stop = TRY(read_range(query, "$XDSDocumentEntryServiceStopTime"));
  wanted.class_codes = TRY(read_codes(query, "$XDSDocumentEntryClassCode"));
  wanted.type_codes = TRY(read_codes(query, "$XDSDocumentEntryTypeCode"));
  wanted.practice_settings = TRY(read_codes(query, "$XDSDocumentEntryPracticeSettingCode"));
  wanted.facility_types = TRY(read_codes(query, "$XDSDocumentEntryHealthcareFacilityTypeCode"));
  wanted.formats = TRY(read_codes(query, "$XDSDocumentEntryFormatCode"));
  wanted.event_codes = TRY(read_code_lists(query, "$XDSDocumentEntryEventCodeList"));
  wanted.confidentiality_codes = TRY(read_code_lists(query, "$XDSDocumentEntryConfidentialityCode"));
  wanted.author_persons = TRY(read_patterns(query));
  return wanted;
}

// ---- matching

/// `2026` → `20260101000000`: the first second a DTM may mean.
std::string pad_low(std::string_view dtm) {
  constexpr std::string_view lowest = "00000101000000";
  std::string padded(dtm.substr(0, lowest.size()));
  if (padded.size() < lowest.size()) padded += lowest.substr(padded.size());
  return padded;
}

bool holds_one(const std::vector<Code>& wanted, const Code& code) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const Code& one) {
           return one.code == code.code && (one.system.empty() || one.system == code.system);
         });
}

bool holds_all(const std::vector<std::vector<Code>>& wanted, const std::vector<Code>& codes) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::vector<Code>& any_of_these) {
    return std::any_of(codes.begin(), codes.end(), [&](const Code& code) { return holds_one(any_of_these, code); });
  });
}

bool holds_author(const std::vector<std::string>& patterns, const std::vector<Author>& authors) {
  if (patterns.empty()) return true;
  return std::any_of(authors.begin(), authors.end(), [&](const Author& author) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return like(author.person, p); });
  });
}

std::size_t character_bytes(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) ++end;
  return end - at;
}

}  // namespace

std::variant<FindDocuments, RegistryError> read_find_documents(const StoredQuery& query) {
  auto wanted = find(query);
  if (!wanted) return std::move(wanted).error();
  return std::move(*wanted);
}

std::variant<GetDocuments, RegistryError> read_get_documents(const StoredQuery& query) {
  constexpr std::string_view by_uuid = "$XDSDocumentEntryEntryUUID", by_id = "$XDSDocumentEntryUniqueId";
  GetDocuments wanted{.entry_uuids = all_values(query, by_uuid), .unique_ids = all_values(query, by_id)};
  if (wanted.entry_uuids.empty() && wanted.unique_ids.empty())
    return refusal(RegistryErrorCode::StoredQueryMissingParam, by_uuid);
  if (!wanted.entry_uuids.empty() && !wanted.unique_ids.empty())
    return refusal(RegistryErrorCode::StoredQueryParamNumber, by_uuid);
  for (std::string& uuid : wanted.entry_uuids) uuid = "urn:uuid:" + bare_uuid(uuid);
  return wanted;
}

bool TimeRange::holds(std::string_view time) const {
  if (time.empty()) return true;
  const std::string padded = pad_low(time);
  return (from.empty() || padded >= from) && (to.empty() || padded < to);
}

bool like(std::string_view text, std::string_view pattern) {
  constexpr std::size_t none = std::string_view::npos;
  std::size_t at = 0, p = 0, after_percent = none, resume = 0;
  while (at < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      while (p < pattern.size() && pattern[p] == '%') ++p;
      if (p == pattern.size()) return true;
      after_percent = p;
      resume = at;
    } else if (p < pattern.size() && pattern[p] == '_') {
      at += character_bytes(text, at);
      ++p;
    } else if (p < pattern.size() && pattern[p] == text[at]) {
      ++at;
      ++p;
    } else if (after_percent != none) {
      resume += character_bytes(text, resume);
      at = resume;
      p = after_percent;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

bool matches(const DocumentEntry& entry, const FindDocuments& query) {
  return entry.patient == query.patient && query.status.contains(entry.status) && query.types.contains(entry.type) &&
         (entry.type == EntryType::OnDemand || query.creation.holds(entry.creation_time)) &&
         query.service_start.holds(entry.service_start) && query.service_stop.holds(entry.service_stop) &&
         holds_one(query.class_codes, entry.class_code) && holds_one(query.type_codes, entry.type_code) &&
         holds_one(query.practice_settings, entry.practice_setting) &&
         holds_one(query.facility_types, entry.facility_type) && holds_one(query.formats, entry.format_code) &&
         holds_all(query.event_codes, entry.event_codes) &&
         holds_all(query.confidentiality_codes, entry.confidentiality_codes) &&
         holds_author(query.author_persons, entry.authors);
}

}  // namespace xca::ebxml
