#include "xca/ebxml/queries.hpp"

#include <algorithm>

// Which objects a filter holds. [facts/query-exchange §3.1, §3.3]

namespace xca::ebxml {
namespace {

/// `2026` → `20260101000000`: the first second a DTM may mean.
std::string pad_low(std::string_view dtm) {
  constexpr std::string_view lowest = "00000101000000";
  std::string padded(dtm.substr(0, lowest.size()));
  if (padded.size() < lowest.size()) padded += lowest.substr(padded.size());
  return padded;
}

bool holds_one(const std::vector<Code>& wanted, const Code& code) {
  return wanted.empty() || std::ranges::any_of(wanted, [&](const Code& one) {
           return one.code == code.code && (one.system.empty() || one.system == code.system);
         });
}

bool holds_all(const CodeLists& wanted, const std::vector<Code>& codes) {
  return std::ranges::all_of(wanted, [&](const std::vector<Code>& any_of_these) {
    return std::ranges::any_of(codes, [&](const Code& code) { return holds_one(any_of_these, code); });
  });
}

bool holds_all(const Slots& wanted, const std::vector<std::string>& texts) {
  return std::ranges::all_of(wanted, [&](const std::vector<std::string>& any_of_these) {
    return std::ranges::find_first_of(texts, any_of_these) != texts.end();
  });
}

bool holds_author(const std::vector<std::string>& patterns, const std::vector<Author>& authors) {
  return patterns.empty() || std::ranges::any_of(authors, [&](const Author& author) {
           return std::ranges::any_of(patterns, [&](const std::string& one) { return like(author.person, one); });
         });
}

bool holds_status(const std::set<Availability>& wanted, Availability status) {
  return wanted.empty() || wanted.contains(status);
}

std::size_t character_bytes(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) ++end;
  return end - at;
}

}  // namespace

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

bool EntryFilter::holds(const DocumentEntry& entry) const {
  return holds_status(status, entry.status) && types.contains(entry.type) &&
         (entry.type == EntryType::OnDemand || creation.holds(entry.creation_time)) &&
         service_start.holds(entry.service_start) && service_stop.holds(entry.service_stop) &&
         holds_one(class_codes, entry.class_code) && holds_one(type_codes, entry.type_code) &&
         holds_one(practice_settings, entry.practice_setting) && holds_one(facility_types, entry.facility_type) &&
         holds_one(formats, entry.format_code) && holds_all(event_codes, entry.event_codes) &&
         holds_all(confidentiality_codes, entry.confidentiality_codes) &&
         holds_all(reference_ids, entry.reference_ids) && holds_author(author_persons, entry.authors);
}

bool SetFilter::holds(const SubmissionSet& set) const {
  return holds_status(status, set.status) &&
         (source_ids.empty() || std::ranges::find(source_ids, set.source_id) != source_ids.end()) &&
         submission.holds(set.submission_time) && holds_author(author_persons, set.authors) &&
         holds_one(content_types, set.content_type);
}

bool FolderFilter::holds(const Folder& folder) const {
  return holds_status(status, folder.status) && last_update.holds(folder.last_update_time) &&
         holds_all(codes, folder.codes);
}

}  // namespace xca::ebxml
