#pragma once
// What a recipient of records of 42 CFR Part 2 is told of what they leave on: a clear explanation of the scope of the
// consent. Pure. [42 CFR §2.32(b); decisions/016]
//
// Only what concerns the one who asks, its purpose and this document: no other organization, purpose, label, class or
// document that the consent names, and nothing it excepts, which would tell of what is withheld; no other consent, and
// nobody's name.

#include "policy/consent.hpp"

namespace policy {

/// One sentence: what the patient permits, to whom, for the purpose asked, since when and until when (UTC).
/// @param by      of the consent: the permit that opens the document, which names a label, a purpose and a recipient
/// @param asking  what it opens the document to; it has a document
/// @return        below a thousand octets beside the consent's id
std::string explanation(const Consent& consent, const Provision& by, const Asking& asking);
/// One sentence: a disclosure in a medical emergency, the grant and its end. [42 CFR §2.51]
std::string explanation(const BreakGlass& grant);

}  // namespace policy
