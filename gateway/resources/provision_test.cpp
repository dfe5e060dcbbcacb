#include "gateway/resources/provision.hpp"

#include <gtest/gtest.h>

#include <random>

namespace gateway::resources {
namespace {

using policy::Label;
using policy::Provision;
using policy::Purpose;
using policy::PurposeSet;
using policy::Recipient;
using policy::RecipientClass;

const Calendar& new_york() {
  static const Calendar calendar = *Calendar::of("America/New_York");
  return calendar;
}
Instant at(std::string_view utc) { return *base::read_date_time(utc); }

Result<ReadProvision> read_text(const std::string& json, const ProvisionLimits& limits = {}) {
  const auto document = TRY(base::json::Document::parse(json));
  return read_provision(document->root(), new_york(), limits);
}
/// A provision of that type with these members.
Result<ReadProvision> read(const std::string& type, const std::string& members) {
  return read_text(R"({"type":")" + type + "\"" + (members.empty() ? "" : ",") + members + "}");
}

std::string actor(const std::string& role, const std::string& reference) {
  return R"("actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",)"
         R"("code":")" + role + R"("}]},"reference":)" + reference + "}]";
}
std::string home_actor(const std::string& home) {
  return actor("IRCP", R"({"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:)" + home + R"("}})");
}
std::string reason(const std::string& code) {
  return R"({"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":")" + code + R"("})";
}
std::string instance(const std::string& system, const std::string& value) {
  return R"({"meaning":"instance","reference":{"identifier":{"system":")" + system + R"(","value":")" + value +
         R"("}}})";
}

TEST(FhirProvision, IsReadWithItsExceptions) {
  const auto got = *read("permit", R"("period":{"end":"2027-01-05"},"purpose":[)" + reason("TREAT") +
                                        R"(],"securityLabel":[{
      "system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}],
      "provision":[{"type":"permit","purpose":[)" + reason("HPAYMT") + R"(],"securityLabel":[{
      "system":"urn:oid:2.16.840.1.113883.5.4","code":"ETH"}]},{"type":"deny",)" + home_actor("1.2.3.4") + "}]");
  Provision payment, denied, root;
  payment.permits = true;
  payment.purposes = PurposeSet{Purpose::Payment};
  payment.labels = {{"2.16.840.1.113883.5.4", "ETH"}};
  denied.recipients = {Recipient{*base::Oid::parse("1.2.3.4")}};
  root.permits = true;
  root.period.to = at("2027-01-06T05:00:00Z");
  root.purposes = PurposeSet{Purpose::Treatment};
  root.labels = {{"2.16.840.1.113883.5.25", "N"}};
  root.exceptions = {payment, denied};
  EXPECT_EQ(got.provision, root);
  EXPECT_TRUE(got.not_evaluated.empty());
}

TEST(FhirProvision, NamesRecipientsByHomeOrByClass) {
  const auto recipients = [](const std::string& reference) {
    const auto got = *read("permit", actor("IRCP", reference));
    EXPECT_TRUE(got.provision.understood) << reference;
    return got.provision.recipients;
  };
  const std::vector<Recipient> home{Recipient{*base::Oid::parse("1.2.3")}};
  EXPECT_EQ(recipients(R"({"type":"Organization","display":"X","identifier":{"system":"urn:ietf:rfc:3986",
      "value":"urn:oid:1.2.3"}})"), home);
  EXPECT_EQ(recipients(R"({"reference":"urn:oid:1.2.3"})"), home);
  EXPECT_EQ(recipients(R"({"identifier":{"system":"urn:gatehouse:recipient-class","value":"treating-providers"}})"),
            std::vector<Recipient>{Recipient{RecipientClass::TreatingProviders}});
  EXPECT_EQ(recipients(R"({"identifier":{"system":"urn:gatehouse:recipient-class","value":"health-plans"}})"),
            std::vector<Recipient>{Recipient{RecipientClass::HealthPlans}});
}

TEST(FhirProvision, NamesPurposesByTheExactPairOfSystemAndCode) {
  const auto purposes = [](const std::string& system, const std::string& code) {
    return read("permit", R"("purpose":[{"system":")" + system + R"(","code":")" + code + R"("}])")->provision;
  };
  EXPECT_EQ(purposes("http://terminology.hl7.org/CodeSystem/v3-ActReason", "PATRQT").purposes,
            PurposeSet{Purpose::PatientRequest});
  EXPECT_EQ(purposes("urn:oid:2.16.840.1.113883.5.8", "TREAT").purposes, PurposeSet{Purpose::Treatment});
  EXPECT_EQ(purposes("urn:oid:2.16.840.1.113883.3.18.7.1", "OPERATIONS").purposes, PurposeSet{Purpose::Operations});
  EXPECT_EQ(purposes("urn:oid:2.16.840.1.113883.3.7204.1.5.2.1", "T-PH").purposes, PurposeSet{Purpose::PublicHealth});
  EXPECT_EQ(purposes("urn:gatehouse:purpose", "other-authorization").purposes, PurposeSet{Purpose::OtherAuthorization});
  EXPECT_EQ(purposes("urn:gatehouse:purpose", "none").purposes, PurposeSet{});
  for (const auto& [system, code] : {std::pair("http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREATMENT"),
                                     std::pair("http://terminology.hl7.org/CodeSystem/v3-ActReason", "treat"),
                                     std::pair("http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG"),
                                     std::pair("http://terminology.hl7.org/CodeSystem/v3-ActReason", "ETREAT"),
                                     std::pair("urn:oid:2.16.840.1.113883.3.18.7.1", "TREAT"),
                                     std::pair("urn:oid:2.16.840.1.113883.3.18.7.1", "EMERGENCY"),
                                     std::pair("urn:gatehouse:purpose", "treatment")}) {
    EXPECT_FALSE(purposes(system, code).understood) << system << " " << code;
    EXPECT_EQ(purposes(system, code).purposes, PurposeSet{}) << system << " " << code;
  }
}

TEST(FhirProvision, OfSomeKnownPurposesPermitsThoseAndDeniesAll) {
  const auto list = R"("purpose":[)" + reason("TREAT") + "," + reason("HRESCH") + "]";
  const auto permit = *read("permit", list), deny = *read("deny", list);
  EXPECT_TRUE(permit.provision.understood);
  EXPECT_EQ(permit.provision.purposes, PurposeSet{Purpose::Treatment});
  EXPECT_EQ(permit.not_evaluated, std::vector<std::string>{"provision.purpose"});
  EXPECT_FALSE(deny.provision.understood);
  EXPECT_EQ(deny.provision.purposes, std::nullopt);
  EXPECT_EQ(read("deny", R"("purpose":[)" + reason("TREAT") + "]")->provision.purposes,
            PurposeSet{Purpose::Treatment});
}

TEST(FhirProvision, NamesDocumentsByClassTypeIdAndDate) {
  const auto got = *read("deny", R"("class":[{"system":"http://loinc.org","code":"11488-4","display":"Note"},
      {"system":"urn:oid:2.999.1","code":"N"}],"dataPeriod":{"start":"2026-01"},"data":[)" +
                                      instance("urn:ietf:rfc:3986", "urn:oid:2.999.5") + "," +
                                      instance("urn:oid:2.999.6", "abc") +
                                      R"(,{"meaning":"instance","reference":{"reference":"urn:oid:2.999.7"}}])");
  EXPECT_TRUE(got.provision.understood);
  EXPECT_EQ(got.provision.classes, (std::vector<base::Code>{{"11488-4", "2.16.840.1.113883.6.1", "Note"},
                                                            {"N", "2.999.1", ""}}));
  EXPECT_EQ(got.provision.data.from, at("2026-01-01T05:00:00Z"));
  EXPECT_EQ(got.provision.documents, (std::vector<std::string>{"2.999.5", "2.999.6^abc", "2.999.7"}));
  EXPECT_EQ(read("deny", R"("class":[{"system":"http://snomed.info/sct","code":"1"}])")->provision.classes,
            (std::vector<base::Code>{{"1", "2.16.840.1.113883.6.96", ""}}));
}

TEST(FhirProvision, KeepsALabelNobodyKnows) {
  const auto got = *read("permit", R"("securityLabel":[{"system":"urn:oid:2.999.9","code":"X"},{"code":"Y"}])");
  EXPECT_TRUE(got.provision.understood);
  EXPECT_EQ(got.provision.labels, (std::vector<Label>{{"2.999.9", "X"}, {"", "Y"}}));
}

TEST(FhirProvision, DeniesAllWhereACodeComesWithoutItsSystem) {
  for (const auto* list : {R"("securityLabel":[{"system":"urn:oid:2.999.9","code":"X"},{"code":"HIV"}])",
                           R"("class":[{"system":"urn:oid:2.999.9","code":"X"},{"code":"34133-9"}])"}) {
    const auto deny = *read("deny", list), permit = *read("permit", list);
    EXPECT_FALSE(deny.provision.understood) << list;
    EXPECT_EQ(deny.not_evaluated.size(), 1u) << list;
    EXPECT_TRUE(deny.provision.labels.empty() && deny.provision.classes.empty()) << list;
    const bool of_label = permit.provision.classes.empty();
    EXPECT_EQ(permit.provision.understood, of_label) << "a label alone may be without: " << list;
  }
  EXPECT_TRUE(read("deny", R"("class":[{"system":"urn:oid:2.999.9","code":"X"}])")->provision.understood);
  EXPECT_EQ(read("deny", R"("securityLabel":[{"system":"http://hl7.org/fhir/v3/ActCode","code":"HIV"}])")
                ->provision.labels, (std::vector<Label>{{std::string(policy::act_code_system), "HIV"}}));
}

struct Strange {
  std::string members, path;
};
std::vector<Strange> strange_parts() {
  const std::string ircp = "IRCP";
  return {
      {R"("action":[{"coding":[{"code":"collect"}]}])", "provision.action"},
      {R"("modifierExtension":[{"url":"urn:x","valueBoolean":true}])", "provision.modifierExtension"},
      {R"("recipients":"all")", "provision (an unknown element)"},
      {R"("_type":{"extension":[{"url":"urn:x"}]})", "provision (an unknown element)"},
      {R"("period":{"start":"2026","_end":{"extension":[{"url":"urn:x"}]}})", "provision.period"},
      {R"("dataPeriod":{"start":"2026","_end":{"extension":[{"url":"urn:x"}]}})", "provision.dataPeriod"},
      {actor("CST", R"({"reference":"urn:oid:1.2.3"})"), "provision.actor"},
      {actor(ircp, R"({"reference":"Organization/7"})"), "provision.actor"},
      {actor(ircp, R"({"reference":"Organization/1.2.3"})"), "provision.actor"},
      {actor(ircp, R"({"display":"Riverside"})"), "provision.actor"},
      {actor(ircp, R"({"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:7"}})"), "provision.actor"},
      {actor(ircp, R"({"identifier":{"system":"urn:ietf:rfc:3986","value":"1.2.3"}})"), "provision.actor"},
      {actor(ircp, R"({"identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"1234567893"}})"),
       "provision.actor"},
      {actor(ircp, R"({"identifier":{"system":"urn:gatehouse:recipient-class","value":"everybody"}})"),
       "provision.actor"},
      {actor(ircp, R"({"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3","use":"old"}})"),
       "provision.actor"},
      {actor(ircp, R"({"reference":"urn:oid:1.2.4",
          "identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"}})"),
       "provision.actor"},
      {actor(ircp, R"({"type":"Practitioner","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"}})"),
       "provision.actor"},
      {R"("actor":[{"reference":{"reference":"urn:oid:1.2.3"}}])", "provision.actor"},
      {R"("purpose":[)" + reason("HMARKT") + "]", "provision.purpose"},
      {R"("purpose":[{"display":"treatment"}])", "provision.purpose"},
      {R"("securityLabel":[{"display":"secret"}])", "provision.securityLabel"},
      {R"("class":[{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}])", "provision.class"},
      {R"("class":[{"system":"urn:ietf:bcp:13","code":"application/hl7-cda+xml"}])", "provision.class"},
      {R"("class":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"B20"}])", "provision.class"},
      {R"("class":[{"code":"34133-9"}])", "provision.class"},
      {R"("code":[{"text":"all notes"}])", "provision.code"},
      {R"("code":[{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"B20"}]}])", "provision.code"},
      {R"("code":[{"coding":[{"system":"http://loinc.org","code":"34133-9"}]}])", "provision.code"},
      {R"("class":[{"system":"http://loinc.org","code":"1"}],
          "code":[{"coding":[{"system":"http://loinc.org","code":"2"}]}])",
       "provision.code"},
      {R"("data":[{"meaning":"related","reference":{"reference":"urn:oid:2.999.5"}}])", "provision.data"},
      {R"("data":[{"meaning":"authoredby","reference":{"reference":"urn:oid:2.999.5"}}])", "provision.data"},
      {R"("data":[{"meaning":"instance","reference":{"reference":"DocumentReference/7"}}])", "provision.data"},
      {R"("data":[{"meaning":"instance","reference":{"reference":"urn:uuid:7"}}])", "provision.data"},
      {"\"data\":[" + instance("http://x.example", "7") + "]", "provision.data"},
  };
}

TEST(FhirProvision, PermitsNothingWithAPartThatCannotBeEvaluated) {
  for (const auto& [members, path] : strange_parts()) {
    const auto got = read("permit", members);
    ASSERT_TRUE(got) << members << " " << got.error().detail;
    EXPECT_FALSE(got->provision.understood) << members;
    EXPECT_EQ(got->not_evaluated, std::vector<std::string>{path}) << members;
  }
  EXPECT_TRUE(read("permit", home_actor("1.2.3"))->provision.understood);
  EXPECT_TRUE(read("permit", R"("id":"p","extension":[{"url":"urn:x","valueBoolean":true}])")->provision.understood)
      << "an extension that is no modifier changes no meaning";
}

TEST(FhirProvision, DeniesAllTheMoreWithAPartThatCannotBeEvaluated) {
  for (const auto& [members, path] : strange_parts()) {
    const auto got = read("deny", members);
    ASSERT_TRUE(got) << members;
    auto provision = got->provision;
    EXPECT_FALSE(provision.understood) << members;
    if (members.find(R"("code":"1")") != members.npos) {  // of class and code: the class, whatever stands within
      EXPECT_EQ(provision.classes.size(), 1u) << members;
      provision.classes.clear();
    }
    provision.understood = true;
    EXPECT_EQ(provision, Provision{}) << members;
  }
  const auto one_unknown = *read("deny", R"("actor":[{"role":{"coding":[{
      "system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},
      "reference":{"reference":"urn:oid:1.2.3"}},{"reference":{"reference":"Organization/7"}}])");
  EXPECT_TRUE(one_unknown.provision.recipients.empty()) << "the other one may be anybody";
  const auto modified = *read("deny", home_actor("1.2.3") + R"(,"modifierExtension":[{"url":"urn:x"}])");
  EXPECT_TRUE(modified.provision.recipients.empty());
  EXPECT_EQ(read("deny", home_actor("1.2.3"))->provision.recipients.size(), 1u);
  const auto action = *read("deny", home_actor("1.2.3") + R"(,"action":[{"text":"x"}])");
  EXPECT_EQ(action.provision.recipients.size(), 1u) << "what is understood still limits it";
}

TEST(FhirProvision, NamesAPartOfAnExceptionByItsPlace) {
  const auto got = *read("deny", R"("provision":[{"type":"permit"},{"type":"permit","action":[],"provision":[
      {"type":"deny","action":[]}]}])");
  EXPECT_EQ(got.not_evaluated, (std::vector<std::string>{"provision.provision[1].action",
                                                         "provision.provision[1].provision[0].action"}));
  EXPECT_TRUE(got.provision.understood);
  EXPECT_TRUE(got.provision.exceptions[0].understood);
  EXPECT_FALSE(got.provision.exceptions[1].understood);
}

TEST(FhirProvision, LastsThroughTheDayItEndsOn) {
  const auto period = [](const std::string& members) { return read("permit", members)->provision.period; };
  const auto days = period(R"("period":{"start":"2026-11-01","end":"2026-11-01"})");
  EXPECT_EQ(days.from, at("2026-11-01T04:00:00Z"));
  EXPECT_EQ(days.to, at("2026-11-02T05:00:00Z"));
  const auto months = period(R"("period":{"start":"2026","end":"2028-02"})");
  EXPECT_EQ(months.from, at("2026-01-01T05:00:00Z"));
  EXPECT_EQ(months.to, at("2028-03-01T05:00:00Z"));
  const auto instants = period(R"("period":{"start":"2026-11-01T00:00:00-05:00","end":"2026-11-01T05:00:00.000001Z"})");
  EXPECT_EQ(instants.from, at("2026-11-01T05:00:00Z"));
  EXPECT_EQ(instants.to, at("2026-11-01T05:00:00.000001Z"));
}

TEST(FhirProvision, IsRefusedWhereAnElementCannotBeRead) {
  const std::vector<Strange> rows{
      {R"({"period":{"start":"2026"}})", "provision.type"},
      {R"({"type":"allow"})", "provision.type"},
      {R"({"type":true})", "provision.type"},
      {R"([])", "provision"},
      {R"({"type":"permit","period":{}})", "provision.period"},
      {R"({"type":"permit","period":"2026"})", "provision.period"},
      {R"({"type":"permit","period":{"start":"2026-11-02","end":"2026-11-01"}})", "provision.period.end"},
      {R"({"type":"permit","period":{"start":"2026-11-01T05:00:00Z","end":"2026-11-01T05:00:00Z"}})",
       "provision.period.end"},
      {R"({"type":"permit","period":{"start":"2026-02-30"}})", "provision.period.start"},
      {R"({"type":"permit","period":{"end":"2026-11-01T05:00:00"}})", "provision.period.end"},
      {R"({"type":"permit","dataPeriod":{"end":7}})", "provision.dataPeriod.end"},
      {R"({"type":"permit","dataPeriod":{"end":""}})", "provision.dataPeriod.end"},
      {R"({"type":"permit","actor":[]})", "provision.actor"},
      {R"({"type":"permit","actor":{}})", "provision.actor"},
      {R"({"type":"permit","purpose":[]})", "provision.purpose"},
      {R"({"type":"permit","purpose":["TREAT"]})", "provision.purpose"},
      {R"({"type":"permit","purpose":[{"code":7}]})", "provision.purpose.code"},
      {R"({"type":"permit","securityLabel":[{"system":true,"code":"R"}]})", "provision.securityLabel.system"},
      {R"({"type":"permit","class":[]})", "provision.class"},
      {R"({"type":"permit","code":[]})", "provision.code"},
      {R"({"type":"permit","class":[7]})", "provision.class"},
      {R"({"type":"permit","data":[]})", "provision.data"},
      {R"({"type":"permit","data":["1.2"]})", "provision.data"},
      {R"({"type":"permit","provision":[]})", "provision.provision"},
      {R"({"type":"permit","provision":[{}]})", "provision.provision[0].type"},
  };
  for (const auto& [json, path] : rows) {
    const auto got = read_text(json);
    ASSERT_FALSE(got) << json;
    EXPECT_EQ(got.error().code, Errc::FieldUnreadable) << json;
    EXPECT_EQ(got.error().detail, path) << json;
  }
  EXPECT_TRUE(read_text(R"({"type":"permit","period":{"start":"2026-11-01"},"provision":[{"type":"deny"}]})"));
}

std::string nested(std::size_t depth) {
  std::string json = R"({"type":"deny"})";
  for (; depth > 0; --depth) json = R"({"type":"permit","provision":[)" + json + "]}";
  return json;
}
std::string repeated(const std::string& item, std::size_t count) {
  std::string list = item;
  for (; count > 1; --count) list += "," + item;
  return list;
}

TEST(FhirProvision, IsRefusedAboveItsLimits) {
  const auto exceptions = [](std::size_t count) {
    return R"({"type":"deny","provision":[)" + repeated(R"({"type":"permit"})", count) + "]}";
  };
  const auto labels = [](std::size_t count) {
    return R"({"type":"deny","securityLabel":[)" + repeated(R"({"system":"urn:oid:2.999","code":"X"})", count) + "]}";
  };
  EXPECT_TRUE(read_text(nested(8)));
  EXPECT_TRUE(read_text(exceptions(49)));
  EXPECT_TRUE(read_text(labels(200)));
  for (const auto& json : {nested(9), nested(25), exceptions(50), labels(201)}) {
    const auto got = read_text(json);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::TooMuch);
  }
  const auto deep = base::json::Document::parse(nested(50), {.bytes = 1u << 20, .depth = 1000, .values = 1000});
  const auto got = read_provision((*deep)->root(), new_york());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::TooMuch);
}

/// Any provision at all, of the parts that ours can have.
class AnyProvision {
 public:
  explicit AnyProvision(std::uint64_t seed) : random_(seed) {}
  Provision make(std::size_t depth = 0) {
    Provision made;
    made.permits = below(2);
    made.understood = below(8);
    made.period = period();
    made.data = period();
    if (below(3) == 0) made.purposes = PurposeSet::from_bits(std::int64_t(below(128)));
    for (auto n = few(); n > 0; --n) made.recipients.push_back(recipient());
    for (auto n = few(); n > 0; --n) made.labels.push_back({system(made), pick(texts_)});
    for (auto n = few(); n > 0; --n)
      made.classes.push_back({pick(texts_), class_system(), below(2) ? pick(texts_) : ""});
    for (auto n = few(); n > 0; --n) made.documents.push_back(pick(ids_));
    if (depth < 3)
      for (auto n = few(); n > 0; --n) made.exceptions.push_back(make(depth + 1));
    return made;
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  std::size_t few() { return below(3) ? 0 : 1 + below(3); }
  std::string pick(const std::vector<std::string>& all) { return all[below(all.size())]; }
  /// A deny without one is not understood. [DeniesAllWhereACodeComesWithoutItsSystem]
  std::string system(const Provision& of) {
    const auto picked = pick(systems_);
    return picked.empty() && !of.permits ? "2.999.2" : picked;
  }
  /// No class is understood without one.
  std::string class_system() {
    const auto picked = pick(systems_);
    return picked.empty() ? "2.999.2" : picked;
  }
  Instant instant() {
    return base::from_micros(std::uniform_int_distribution<std::int64_t>(-2'200'000'000'000'000,
                                                                         7'200'000'000'000'000)(random_));
  }
  policy::Period period() {
    policy::Period made;
    const auto one = instant(), other = instant();
    if (below(3) == 0) made.from = std::min(one, other);
    if (below(3) == 0) made.to = std::max(one, other);
    return made;
  }
  Recipient recipient() {
    if (below(2)) return {*base::Oid::parse("2.999." + std::to_string(below(1000)))};
    return {below(2) ? RecipientClass::TreatingProviders : RecipientClass::HealthPlans};
  }

  std::mt19937_64 random_;
  std::vector<std::string> systems_{"",
                                    "2.16.840.1.113883.5.25",
                                    "2.16.840.1.113883.5.4",
                                    "2.16.840.1.113883.5.8",
                                    "2.16.840.1.113883.6.1",
                                    "2.16.840.1.113883.6.96",
                                    "2.999.1",
                                    "http://x.example/codes",
                                    "urn:uuid:7",
                                    "Connect-a-thon"};
  std::vector<std::string> texts_{"N", "42CFRPart2", "11488-4", "a \"b\" \\ <c> & \u00e9", " padded ", "none"};
  std::vector<std::string> ids_{"1.2.3",       "2.999.5^abc",   "2.999.5^a^b", "2.999.5^",       "^abc",
                                "urn:uuid:7-8", "urn:oid:1.2.3", "x^y",         "any text at all", "urn:uuid:"};
};

TEST(FhirProvision, ReadsBackEveryProvisionItWrites) {
  AnyProvision any(42);
  for (int i = 0; i < 10'000; ++i) {
    const auto made = any.make();
    const auto text = write_provision(made);
    const auto got = read_text(text, {.depth = 8, .provisions = 1000, .values = 200});
    ASSERT_TRUE(got) << text << " " << got.error().detail;
    ASSERT_EQ(got->provision, made) << text << "\n" << write_provision(got->provision);
  }
}

TEST(FhirProvision, WritesInstantsToTheMicrosecond) {
  Provision permit;
  permit.permits = true;
  permit.period.from = at("2026-11-01T05:00:00.000250Z");
  EXPECT_EQ(write_provision(permit), R"({"type":"permit","period":{"start":"2026-11-01T05:00:00.000250Z"}})");
}

}  // namespace
}  // namespace gateway::resources
