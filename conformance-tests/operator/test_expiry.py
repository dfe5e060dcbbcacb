"""L11: when certificates end, who is told, and what the start refuses."""

import datetime
import json
import re
import time

import pytest

from peer import ca
from peer.client import Closed
from peer.town import CLIENT_NOW, TEST_PATIENT, riverside

NOW = datetime.datetime.strptime(CLIENT_NOW, "%Y-%m-%dT%H:%M:%SZ")
DAY = datetime.timedelta(days=1)


def ending(name, days):
    """A certificate of ours that ends in so many days of the town's clock."""
    return ca.Authority("Our network's CA").issue("localhost", name, not_after=NOW + days * DAY)


def install(town, name, credential):
    keys = town.gateway.data / "keys"
    (keys / f"{name}.key").write_bytes(credential.key_pem)
    (keys / f"{name}.pem").write_bytes(credential.pem)


def wait_for(holds, seconds=12):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def days_left(town):
    text = town.gateway.operator("/metrics").body.decode()
    return {role: float(value) for role, value in
            re.findall(r'^gatehouse_certificate_days_left\{role="(\w+)"\} (\S+)$', text, re.M)}


@pytest.fixture(scope="module")
def ageing(found_town):
    """Our TLS certificate has 40 days left, our signing certificate many, a partner's 20."""
    town = found_town("ageing-town")
    town.gateway.stop()
    town.gateway.configure("look_seconds", 1)
    install(town, "tls", ending("Hill Valley", 40))
    partner = ca.Authority("Partner's CA").issue("p.example", "Riverside", not_after=NOW + 20 * DAY)
    town.pin("2.999.20.4", partner.pem)
    town.gateway.start()
    return town


def check(town, *options):
    ran = town.gateway.run("certs", "check", "--json", *options, "--config", town.gateway.config)
    return ran.exit, {(row["role"], row["state"]) for row in json.loads(ran.output)["certificates"]}


class TestTheReport:
    def test_l11_shows_own_anchors_and_partners_and_fails_on_what_ends_soon(self, ageing):
        code, rows = check(ageing)
        assert code == 0 and rows == {("tls", "ok"), ("signing", "ok"), ("anchor", "ok"), ("partner", "ok")}
        code, rows = check(ageing, "--days", 30)
        assert code == 1 and ("partner", "ends soon") in rows and ("tls", "ok") in rows
        code, rows = check(ageing, "--days", 60)
        assert code == 1 and ("tls", "ends soon") in rows
        text = ageing.gateway.run("certs", "check", "--config", ageing.gateway.config).output
        assert "days_left" in text and "tls" in text

    def test_l11_names_what_has_expired(self, found_town):
        town = found_town("expired-partner-town")
        town.pin("2.999.20.4", ca.Authority("Partner's CA").issue("q.example", "Riverside", not_after=NOW - DAY).pem)
        code, rows = check(town)
        assert code == 1 and ("partner", "expired") in rows


class TestAlarms:
    def test_l11_come_at_thirty_seven_and_one_days_and_at_the_end(self, ageing):
        gateway = ageing.gateway

        def told():
            lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if '"days_left"' in line]
            return [(line["level"], int(line["days_left"])) for line in lines if line["role"] == "tls"]
        wait_for(lambda: days_left(ageing).get("tls") in (39, 40))
        assert told() == []
        expected = []
        for advance, level, left in ((11, "warning", 28), (22, "error", 6), (6, "error", 0)):
            gateway.clock.advance(days=advance)
            expected.append((level, left))
            wait_for(lambda: told() == expected)
            assert days_left(ageing)["tls"] == left
        assert ageing.ask(ageing.find_documents(TEST_PATIENT)).status == 200, "its last day"
        gateway.clock.advance(days=1)
        wait_for(lambda: told() == expected + [("error", -1)])
        assert "a certificate has expired" in gateway.log.read_text()

    def test_l11_with_an_expired_certificate_of_ours_nobody_is_answered(self, ageing):
        """Until the operator says so, or renews it. Runs after the one above."""
        mark = ageing.gateway.audit_mark()
        with pytest.raises(Closed):
            ageing.ask(ageing.find_documents(TEST_PATIENT))
        wait_for(lambda: {row["reason"] for row in ageing.gateway.audit_since(mark)
                          if row["payload"].get("transaction") == "TLS"} == {"own-certificate-expired"})
        ageing.gateway.stop()
        ran = ageing.gateway.run("serve", "--config", ageing.gateway.config)
        assert ran.exit == 1 and "ur own certificate has expired" in ran.errors and "trust.expired_own" in ran.errors
        ageing.gateway.configure("expired_own", "serve")
        ageing.gateway.start()
        assert ageing.ask(ageing.find_documents(TEST_PATIENT)).status == 200
        ageing.gateway.stop()
        ageing.gateway.configure("expired_own", "refuse")
        install(ageing, "tls", ending("Hill Valley", 400))
        ageing.gateway.start()
        assert ageing.ask(ageing.find_documents(TEST_PATIENT)).status == 200


class TestProduction:
    """Self-made and demonstration certificates have no place there."""

    @pytest.fixture
    def town(self, found_town):
        town = found_town("production-town")
        town.gateway.stop()
        town.gateway.configure("deployment", "production")
        return town

    def refused(self, town, file):
        ran = town.gateway.run("serve", "--config", town.gateway.config)
        assert ran.exit == 1 and file in ran.errors and "for trials" in ran.errors

    def test_l11_refuses_to_start_with_them(self, town):
        self.refused(town, "tls.pem")
        install(town, "tls", ending("Hill Valley", 400))
        self.refused(town, "signing.pem")
        install(town, "signing", ending("Hill Valley", 400))
        demo = town.gateway.folder / "demo-ca"
        assert town.gateway.run("certs", "init-demo-ca", demo).exit == 0
        anchors = town.gateway.folder / "anchor.pem"
        before = anchors.read_bytes()
        anchors.write_bytes(before + (demo / "ca.pem").read_bytes())
        self.refused(town, "anchor.pem")
        anchors.write_bytes(before)
        town.gateway.start()
        assert town.ask(town.find_documents(TEST_PATIENT), riverside()).status == 200
