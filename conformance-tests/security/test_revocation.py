"""L09: revocation evidence over the wire, from real servers on loopback, for a network judged hard and one judged soft.

Each case is one way evidence can be; each network has an authority of its own. The first handshake of a certificate
finds no evidence at hand: the hard network refuses it and says that evidence is on its way, the soft one lets it in.
"""

import hashlib
import time
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from peer import ca
from peer.canary import Canary
from peer.client import Closed
from peer.evidence import ListServer, Responder, endless, hang, redirect_to
from peer.town import RIVERSIDE, TEST_PATIENT, authority, lakeside

KEY = ca.rsa_key("a partner's TLS in two networks")
NETWORKS = ("hard", "soft")
GOOD, NONE, REVOKED = "good", "none", "revoked"


@dataclass(frozen=True)
class Case:
    name: str
    state: str          # what all evidence together comes to
    crl: str = ""       # which page the distribution point is, where there is one
    ocsp: str = ""      # which responder, where there is one


CASES = [
    Case("no address at all", NONE),
    Case("a good list", GOOD, crl="good"),
    Case("a list that revokes", REVOKED, crl="revokes"),
    Case("an expired list", NONE, crl="expired"),
    Case("an expired list that revokes", REVOKED, crl="expired-revokes"),
    Case("a list of tomorrow", NONE, crl="tomorrow"),
    Case("a list by another key", NONE, crl="wrong-key"),
    Case("an HTML page instead", NONE, crl="html"),
    Case("a redirect to a good list", NONE, crl="redirect"),
    Case("no such page", NONE, crl="missing"),
    Case("a server that hangs", NONE, crl="hangs"),
    Case("a list without end", NONE, crl="endless"),
    Case("OCSP good", GOOD, ocsp="good"),
    Case("OCSP good by a delegate", GOOD, ocsp="delegate"),
    Case("OCSP revoked", REVOKED, ocsp="revoked"),
    Case("OCSP unknown", NONE, ocsp="unknown"),
    Case("OCSP by an unrelated one", NONE, ocsp="unrelated"),
    Case("OCSP by a delegate for other uses", NONE, ocsp="not-for-ocsp"),
    Case("OCSP responder down", NONE, ocsp="down"),
    Case("OCSP responder speaks HTML", NONE, ocsp="html"),
    Case("OCSP good, list revokes", REVOKED, crl="revokes", ocsp="good"),
    Case("OCSP revoked, list good", REVOKED, crl="good", ocsp="revoked"),
    Case("OCSP down, list good", GOOD, crl="good", ocsp="down"),
    Case("OCSP good, list missing", GOOD, crl="missing", ocsp="good"),
]
SETTLED_S = 7  # the slowest fetch may take five


EXTRA = ("flight", "inside", "refreshed")  # authorities for the tests of fetching


class Site:
    """One case in one network: an authority of its own, because a good list speaks for all certificates of it."""

    def __init__(self, name, case, lists, folder, stack):
        self.authority, self.lists = ca.Authority(name, key=ca.rsa_key("authorities of both networks")), lists
        self._path = "/" + name.replace(" ", "-")
        responder = self._responder(case.ocsp, folder / self._path[1:]) if case.ocsp not in ("", "html") else None
        responders = [responder.url if responder else lists.url("/ocsp/html")] if case.ocsp else []
        self.certificate = self.authority.issue(
            "tls.partner.example", name, key=KEY,
            further=ca.evidence_at([lists.url(self._path)] if case.crl else [], responders))
        self._fill_page(case.crl)
        if responder:
            responder.tell(known=[self.certificate] if case.ocsp not in ("revoked", "unknown") else (),
                           revoked=[self.certificate] if case.ocsp == "revoked" else ())
            if case.ocsp != "down":
                stack.enter_context(responder)

    def _responder(self, kind, folder):
        key = ca.rsa_key("responders")
        signer = {"delegate": lambda: self.authority.issue("responder", "Network", key=key,
                                                           usage=[ExtendedKeyUsageOID.OCSP_SIGNING]),
                  "not-for-ocsp": lambda: self.authority.issue("web server", "Network", key=key),
                  "unrelated": lambda: ca.self_signed("unrelated", "Nobody", key=key)}.get(kind, lambda: None)()
        return Responder(folder, self.authority, signer=signer)

    def _fill_page(self, kind):
        authority, it, day = self.authority, [self.certificate], ca.datetime.timedelta(days=1)
        good = authority.crl()
        self.lists.pages[self._path] = {
            "good": good, "revokes": authority.crl(it), "expired": authority.crl(ago=2 * day, lasts=-day),
            "expired-revokes": authority.crl(it, ago=2 * day, lasts=-day),
            "tomorrow": authority.crl(ago=-day, lasts=2 * day), "wrong-key": authority.crl(key=KEY),
            "html": b"<html>moved</html>", "redirect": redirect_to(self.lists.url(self._path + "/behind")),
            "hangs": hang, "endless": endless,
        }.get(kind)
        self.lists.pages[self._path + "/behind"] = good


class Network:
    def __init__(self, name, folder, stack):
        self.lists = stack.enter_context(ListServer())
        self.lists.pages["/ocsp/html"] = b"<html>hello</html>"
        sites = {case.name: Site(f"{name} {number}", case, self.lists, folder, stack)
                 for number, case in enumerate(CASES)}
        self.certificates = {case: site.certificate for case, site in sites.items()}
        self.extra = {one: ca.Authority(f"{name} {one}") for one in EXTRA}
        self._authorities = [site.authority for site in sites.values()] + list(self.extra.values())

    def write_bundle(self, path):
        path.write_bytes(b"".join(authority.credential.pem for authority in self._authorities))
        return str(path)


def handshake_note(credential):
    return "certificate " + hashlib.sha256(credential.der).hexdigest()


@dataclass
class Met:
    """What came of one request over one certificate."""
    answered: bool
    reason: str = ""
    note: str = ""
    seconds: float = 0.0


def meet(town, credential):
    """Asks for the test patient. @return Met, by the answer and the audit trail"""
    message = town.find_documents(TEST_PATIENT)
    mark, begun = town.gateway.audit_mark(), time.monotonic()
    try:
        answer = town.ask(message, credential=credential)
    except Closed:
        seconds = time.monotonic() - begun
        return Met(False, refused_for(town, credential, mark), seconds=seconds)
    seconds = time.monotonic() - begun
    assert len(answer.query.entries) == 1
    [event] = [row for row in town.gateway.audit_of(message.message_id) if row["outcome"] == "released"]
    return Met(True, note=event["payload"].get("note", ""), seconds=seconds)


def refused_for(town, credential, mark):
    for _ in range(20):
        for row in town.gateway.audit_since(mark):
            if row["payload"].get("note") == handshake_note(credential):
                return row["reason"]
        time.sleep(0.1)
    return "not audited"


@pytest.fixture(scope="module")
def world(found_town, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    with ExitStack() as stack:
        networks = {name: Network(name, folder, stack) for name in NETWORKS}
        town = found_town("revocation-town", at=None)
        town.gateway.stop()
        for name, network in networks.items():
            town.gateway.configure(f"anchors_{name}", [network.write_bundle(folder / f"{name}.pem")])
        town.gateway.configure("fetch_allow", ["127.0.0.1"])
        any_of_them = networks["hard"].certificates["a good list"].pem
        town.gateway.command("partner", "tie-key", RIVERSIDE, town.gateway.write("any.pem", any_of_them))
        town.gateway.start()
        yield town, networks


@pytest.fixture(scope="module")
def met(world):
    """(network, case) -> what came of the first request and of one after all evidence could have come"""
    town, networks = world
    pairs = [(name, case.name) for name in NETWORKS for case in CASES]
    first = {pair: meet(town, networks[pair[0]].certificates[pair[1]]) for pair in pairs}
    time.sleep(SETTLED_S)
    good = {case.name for case in CASES if case.state == GOOD}

    def later(pair):
        """Good evidence is waited for: how soon it comes is not the question."""
        deadline = time.monotonic() + 15
        while True:
            now = meet(town, networks[pair[0]].certificates[pair[1]])
            if pair[1] not in good or now.answered or time.monotonic() > deadline:
                return now
            time.sleep(0.5)
    return {pair: (first[pair], later(pair)) for pair in pairs}


class TestL09TheTableOfSourceStateAndPolicy:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_hard(self, met, case):
        first, later = met["hard", case.name]
        assert not first.answered and first.reason == "revocation-on-its-way"
        if case.state == GOOD:
            assert later.answered and "revocation" not in later.note
        else:
            assert not later.answered
            assert later.reason == {NONE: "revocation-unknown", REVOKED: "certificate-revoked"}[case.state]

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_soft(self, met, case):
        first, later = met["soft", case.name]
        assert first.answered and "revocation unknown" in first.note
        if case.state == REVOKED:
            assert not later.answered and later.reason == "certificate-revoked"
        else:
            assert later.answered
            assert ("revocation unknown" in later.note) == (case.state == NONE)

    def test_no_request_waits_for_a_fetch(self, met):
        assert max(one.seconds for pair in met.values() for one in pair) < 2

    def test_what_a_redirect_leads_to_is_not_fetched(self, world, met):
        for network in world[1].values():
            behind = [path for path in network.lists.hits if path.endswith("/behind")]
            assert behind == []


class TestL09Fetching:
    @pytest.fixture
    def lists(self):
        with ListServer() as server:
            yield server

    def issue(self, world, name, number=0, **addresses):
        authority = world[1]["soft"].extra[name]
        return authority.issue(f"{name}-{number}.example", "Partner", key=KEY, further=ca.evidence_at(**addresses))

    def test_one_list_is_fetched_once_however_many_certificates_name_it(self, world, lists):
        lists.pages["/one"] = lambda handler: (time.sleep(1), handler.send_error(404))
        for number in range(12):
            meet(world[0], self.issue(world, "flight", number, lists=[lists.url("/one")]))
        assert lists.hits["/one"] == 1

    def test_only_allowed_and_public_addresses_are_called(self, world):
        with ListServer("127.0.0.2") as elsewhere, Canary() as canary:
            port = canary.port
            odd = [f"http://{host}:{port}/1.crl" for host in ("0x7f.2", "127.2", "[::1]", "[::ffff:127.0.0.2]")]
            inside = self.issue(world, "inside", lists=[elsewhere.url("/1.crl"), *odd],
                                responders=[elsewhere.url("/ocsp"), f"http://user@127.0.0.1:{port}/",
                                            f"ftp://127.0.0.1:{port}/", f"file:///proc/{port}"])
            assert meet(world[0], inside).answered
            time.sleep(1)
            assert sum(elsewhere.hits.values()) == 0 and canary.connections == 0
        assert "fetch-not-allowed" in world[0].gateway.log.read_text()

    def test_a_list_is_fetched_again_before_it_ends_and_a_revocation_ends_the_open_connection(self, world, lists):
        """L07 too: the request after the new list came is refused, and an idle connection ends by itself."""
        town, networks = world
        authority = networks["hard"].extra["refreshed"]
        credential = authority.issue("refreshed.example", "Partner", key=KEY,
                                     further=ca.evidence_at(lists=[lists.url("/short")]))
        short = ca.datetime.timedelta(seconds=8)
        lists.pages["/short"] = authority.crl(lasts=short)
        deadline = time.monotonic() + 8
        while not meet(town, credential).answered:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        message = lambda: town.find_documents(TEST_PATIENT)  # noqa: E731
        with town.gateway.connect(credential) as connection:
            assert town.ask(message(), connection=connection).status == 200
            lists.pages["/short"] = authority.crl([credential], lasts=short, ago=ca.datetime.timedelta(minutes=1))
            refused = None
            while refused is None:
                assert time.monotonic() < deadline + 12, "the revocation was never seen"
                time.sleep(0.3)
                try:
                    answer = town.ask(message(), connection=connection)
                    refused = answer if answer.fault else None
                except Closed:
                    refused = "closed"
            assert refused == "closed" or refused.status == 400
        assert lists.hits["/short"] >= 2
        assert meet(town, credential).reason == "certificate-revoked"

    def test_metrics_tell_what_was_fetched(self, world, met):
        text = world[0].gateway.operator("/metrics").body.decode()
        assert 'gatehouse_revocation_fetches_total{kind="crl",outcome="usable"}' in text
        assert 'gatehouse_revocation_fetches_total{kind="ocsp",outcome="usable"}' in text
        assert 'kind="crl",outcome="fetch-timed-out"' in text and 'kind="crl",outcome="fetch-too-large"' in text


def test_l09_who_is_believed_without_evidence_for_a_day_is_an_alarm(found_town):
    town = found_town("silent-town")
    answer = town.ask(town.find_documents(TEST_PATIENT, town.sender(lakeside())), lakeside())
    assert len(answer.query.entries) == 1
    alarm = "without revocation evidence for too long"
    time.sleep(0.5)
    assert alarm not in town.gateway.log.read_text()
    town.gateway.clock.advance(hours=25)
    deadline = time.monotonic() + 10
    while alarm not in town.gateway.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    metrics = town.gateway.operator("/metrics").body.decode()
    assert "gatehouse_revocation_unknown_alarms 0" not in metrics


def test_l09_a_network_that_is_no_network_refuses_the_start(found_town):
    town = found_town("no-network-town", at=None)
    town.gateway.stop()
    town.gateway.configure("fetch_allow", ["localhost"])
    ran = town.gateway.run("serve", "--config", town.gateway.config)
    assert ran.exit == 1 and "trust.fetch_allow" in ran.errors


def test_l09_with_fetching_off_nobody_is_called(found_town):
    with ListServer() as lists:
        town = found_town("quiet-town", at=None)
        town.gateway.stop()
        town.gateway.configure("fetch", "off")
        town.gateway.configure("fetch_allow", ["127.0.0.1"])
        town.gateway.start()
        credential = authority().issue("quiet.example", "Riverside", key=KEY,
                                       further=ca.evidence_at(lists=[lists.url("/1.crl")]))
        town.gateway.command("partner", "tie-subject", RIVERSIDE, credential.subject)
        answer = town.ask(town.find_documents(TEST_PATIENT), credential=credential)
        assert len(answer.query.entries) == 1
        time.sleep(0.6)
        assert sum(lists.hits.values()) == 0
