#include "gateway/directory/shelf.hpp"

#include "certs/authority.hpp"
#include "gateway/directory/partners.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::directory {
namespace {

using patients::testing::noon;
using patients::testing::ok;

std::string organization(const std::string& home, const std::string& more = {}) {
  return R"({"resourceType":"Organization","id":")" + home + R"(","name":"Org )" + home + "\"" + more + "}\n";
}
std::string part_of(const std::string& home) { return R"(,"partOf":{"reference":"Organization/)" + home + "\"}"; }
std::string managed_by(const std::string& home) {
  return R"(,"extension":[{"url":"x/org-managing-org","valueReference":{"reference":"Organization/)" + home + "\"}}]";
}

const certs::CertificateAuthority& authority() {
  static const auto made =
      certs::CertificateAuthority::create({.common_name = "Test CA"}, noon, std::chrono::days(365));
  return made;
}
certs::Certificate certificate(const std::string& name) {
  return authority().issue({.subject = {.common_name = name}, .now = noon, .key = certs::KeyKind::Ec}).certificate;
}

class DirectoryOf : public patients::testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    shelf_ = std::make_unique<DirectoryShelf>(*database_,
                                              certs::TrustEvidence{.anchors = {authority().credential().certificate}});
    ok(import_directory(*database_, organization("2.999.10") + organization("2.999.20", part_of("2.999.10")), noon));
  }
  std::string implementer(const std::string& home) { return ok(shelf_->current())->organization(home)->implementer; }

  std::unique_ptr<DirectoryShelf> shelf_;
};
ON_BOTH_DATABASES(DirectoryOf);

TEST_P(DirectoryOf, OrganizationsNamesTheirImplementers) {
  ok(import_directory(*database_,
                      organization("2.999.30", part_of("2.999.20")) + organization("2.999.40", managed_by("2.999.99")) +
                          organization("2.999.50", part_of("2.999.51")) + organization("2.999.51", part_of("2.999.50")),
                      noon));
  EXPECT_EQ(implementer("2.999.10"), "2.999.10");
  EXPECT_EQ(implementer("2.999.30"), "2.999.10") << "up the chain";
  EXPECT_EQ(implementer("2.999.40"), "2.999.99") << "as managed";
  EXPECT_EQ(implementer("2.999.50"), "2.999.50") << "a loop has no top";
  ok(import_directory(*database_, organization("2.999.20", managed_by("2.999.98")), noon));
  EXPECT_EQ(implementer("2.999.30"), "2.999.98") << "follows from its parent's change";
  EXPECT_FALSE(ok(shelf_->current())->organization("2.999.1"));
}

TEST_P(DirectoryOf, OrganizationsListsWhereTheyMayBeCalledBack_S01) {
  const auto endpoints = [](const std::string& address, const std::string& status = "active") {
    return R"(,"contained":[{"resourceType":"Endpoint","status":")" + status + R"(","address":")" + address + "\"}]";
  };
  const std::string hub = "https://hub.example/a", own = "https://own.example/a", off = "https://off.example/a";
  ok(import_directory(*database_,
                      organization("2.999.10", endpoints(hub)) +
                          organization("2.999.20", part_of("2.999.10") + endpoints(own)) +
                          organization("2.999.21", part_of("2.999.10") + endpoints(off, "off")) +
                          organization("2.999.22", part_of("2.999.10") + endpoints(off) + ",\"active\":false"),
                      noon));
  const auto view = ok(shelf_->current());
  EXPECT_TRUE(view->lists_address("2.999.10", hub));
  EXPECT_TRUE(view->lists_address("2.999.20", own));
  EXPECT_TRUE(view->lists_address("2.999.20", hub)) << "its implementer's";
  EXPECT_FALSE(view->lists_address("2.999.10", own)) << "not the other way round";
  EXPECT_FALSE(view->lists_address("2.999.21", own)) << "not a sister's";
  EXPECT_FALSE(view->lists_address("2.999.21", off)) << "not an endpoint that is off";
  EXPECT_FALSE(view->lists_address("2.999.22", off)) << "not of who is not active";
  EXPECT_FALSE(view->lists_address("2.999.22", hub));
  EXPECT_FALSE(view->lists_address("2.999.99", hub));
  for (const auto& other : {hub + "/", hub + "?", std::string("HTTPS://hub.example/a"), std::string()})
    EXPECT_FALSE(view->lists_address("2.999.10", other)) << other;
}

TEST_P(DirectoryOf, ImportsCountWhatChanged) {
  const auto again = ok(import_directory(*database_,
                                         organization("2.999.10") + organization("2.999.11") +
                                             organization("2.999.20", R"(,"active":false)") + organization("x"),
                                         noon));
  EXPECT_EQ(again.inserted, 1u);
  EXPECT_EQ(again.updated, 1u);
  EXPECT_EQ(again.unchanged, 1u);
  EXPECT_EQ(again.skipped, 1u);
  EXPECT_FALSE(ok(shelf_->current())->organization("2.999.20")->active);
  EXPECT_EQ(ok(list_organizations(*database_)).size(), 3u);
}

TEST_P(DirectoryOf, AChangeIsSeenByTheNextRequestAndNothingElseIsReadAgain) {
  const auto first = ok(shelf_->current());
  EXPECT_EQ(first.get(), ok(shelf_->current()).get());
  DirectoryShelf other_node(*database_, {});
  ok(other_node.current());
  ok(pin_certificate(*database_, "urn:oid:2.999.10", certificate("a"), noon));
  EXPECT_NE(first.get(), ok(shelf_->current()).get());
  EXPECT_EQ(ok(other_node.current())->implementer_of(certificate("b")), std::nullopt);
  const auto before = ok(shelf_->current())->version();
  shelf_->replace_evidence({});
  EXPECT_NE(ok(shelf_->current())->version(), before);
}

TEST_P(DirectoryOf, CertificatesAreKnownByDerKeyOrSubject) {
  const auto pinned = certificate("pinned"), keyed = certificate("keyed"), named = certificate("named");
  ok(pin_certificate(*database_, "2.999.10", pinned, noon));
  ok(tie_key(*database_, "2.999.10", base::hex(keyed.public_key().spki_sha256()), noon));
  ok(tie_subject(*database_, "2.999.20", named.subject(), noon));
  const auto view = ok(shelf_->current());
  EXPECT_EQ(view->implementer_of(pinned), "2.999.10");
  EXPECT_EQ(view->implementer_of(keyed), "2.999.10");
  EXPECT_EQ(view->implementer_of(named), "2.999.20");
  EXPECT_EQ(view->implementer_of(certificate("stranger")), std::nullopt);
  EXPECT_TRUE(view->trust().validate(pinned, {}, certs::Use::TlsClient, noon));

  EXPECT_EQ(pin_certificate(*database_, "2.999.20", pinned, noon).error().code, Errc::CertificateTaken);
  EXPECT_EQ(pin_certificate(*database_, "2.999.1", pinned, noon).error().code, Errc::NoSuchOrganization);
  EXPECT_EQ(tie_key(*database_, "2.999.10", "abcd", noon).error().code, Errc::NotATie);
  EXPECT_EQ(ok(list_ties(*database_, "2.999.10")).size(), 2u);
  EXPECT_EQ(ok(list_pins(*database_)), std::vector{pinned});
  EXPECT_TRUE(ok(untie(*database_, "certificate", base::hex(pinned.sha256()))));
  EXPECT_EQ(ok(shelf_->current())->implementer_of(pinned), std::nullopt);
}

TEST_P(DirectoryOf, ExceptionsEndByThemselves) {
  const auto end = noon + std::chrono::hours(1);
  ok(set_setting(*database_, "2.999.10", {.name = "sha1", .value = "allow", .until = end, .reason = "old stack"},
                 noon));
  ok(set_setting(*database_, "2.999.10", {.name = "schema", .value = "strict", .until = {}, .reason = "test"}, noon));
  const auto view = ok(shelf_->current());
  EXPECT_TRUE(view->settings("2.999.10", end - std::chrono::microseconds(1)).allowance.sha1);
  EXPECT_FALSE(view->settings("2.999.10", end).allowance.sha1);
  EXPECT_TRUE(view->settings("2.999.10", end).strict_schema);
  EXPECT_FALSE(view->settings("2.999.20", noon).allowance.sha1);
  EXPECT_TRUE(ok(clear_setting(*database_, "2.999.10", "sha1")));
  EXPECT_EQ(ok(list_settings(*database_, "2.999.10")).size(), 1u);
}

TEST_P(DirectoryOf, PartnersTellsWhatTheyMustSignAndWhatTheyCallThemselves_W12_W13_T08) {
  const auto allowed = [&](std::string name, std::string value) {
    ok(set_setting(*database_, "2.999.10", {.name = name, .value = value, .until = {}, .reason = "test"}, noon));
    return ok(shelf_->current())->settings("2.999.10", noon).allowance;
  };
  const auto signed_parts = [&](std::string value) {
    const auto allowance = allowed("signed-parts", std::move(value));
    return std::pair(allowance.must_sign_body, allowance.must_sign_addressing);
  };
  EXPECT_EQ(signed_parts("body"), std::pair(true, false));
  EXPECT_EQ(signed_parts("addressing"), std::pair(false, true));
  EXPECT_EQ(signed_parts("body-and-addressing"), std::pair(true, true));
  EXPECT_EQ(signed_parts("timestamp"), std::pair(false, false));
  EXPECT_EQ(allowed("issuer", "CN=a,O=b").issuers, (std::vector<std::string>{"CN=a,O=b"}));
  EXPECT_EQ(allowed("issuer", "CN=a,O=b|sec@b.example ").issuers,
            (std::vector<std::string>{"CN=a,O=b", "sec@b.example "}));
}

TEST_P(DirectoryOf, SettingsThatCannotBeAreRefused) {
  const auto refusal = [&](Setting setting) { return set_setting(*database_, "2.999.10", setting, noon).error().code; };
  EXPECT_EQ(refusal({.name = "sha2", .value = "allow", .until = {}, .reason = "x"}), Errc::UnknownSetting);
  EXPECT_EQ(refusal({.name = "schema", .value = "allow", .until = {}, .reason = "x"}), Errc::BadValue);
  EXPECT_EQ(refusal({.name = "schema", .value = "strict", .until = {}, .reason = " "}), Errc::ReasonMissing);
  EXPECT_EQ(refusal({.name = "signed-parts", .value = "all", .until = {}, .reason = "x"}), Errc::BadValue);
  for (const auto* value : {"", "|", "a|", "|a", "a||b"})
    EXPECT_EQ(refusal({.name = "issuer", .value = value, .until = {}, .reason = "x"}), Errc::BadValue) << value;
  EXPECT_EQ(refusal({.name = "sender-vouches", .value = "allow", .until = {}, .reason = "x"}), Errc::EndMissing);
  EXPECT_EQ(refusal({.name = "bearer", .value = "allow", .until = {}, .reason = "x"}), Errc::EndMissing);
  EXPECT_EQ(refusal({.name = "bearer", .value = "allow", .until = noon, .reason = "x"}), Errc::EndMissing);
  EXPECT_EQ(set_setting(*database_, "2.999.1", {.name = "schema", .value = "strict", .until = {}, .reason = "x"}, noon)
                .error()
                .code,
            Errc::NoSuchOrganization);
}

TEST_P(DirectoryOf, ThatCannotBeReadRefusesInsteadOfAnsweringFromMemory) {
  ok(shelf_->current());
  auto* session = ok(database_->session());
  const auto damaged = [&](const char* damage) {
    ok(session->execute(damage));
    ok(session->execute("UPDATE directory_version SET version = version + 1"));
    const auto view = shelf_->current();
    return view ? boost::system::error_code() : view.error().code;
  };
  EXPECT_EQ(damaged("UPDATE organizations SET entry = '{' WHERE home = '2.999.20'"), store::Errc::Unreadable);
  EXPECT_EQ(shelf_->current().error().code, store::Errc::Unreadable) << "still";
  EXPECT_FALSE(damaged("UPDATE organizations SET entry = '{}' WHERE home = '2.999.20'"));
  EXPECT_EQ(damaged("INSERT INTO partner_settings (implementer, setting, value, until, reason, set_at)"
                    " VALUES ('2.999.10', 'sha1', 'perhaps', NULL, '', 0)"),
            store::Errc::Unreadable);
}

}  // namespace
}  // namespace gateway::directory
