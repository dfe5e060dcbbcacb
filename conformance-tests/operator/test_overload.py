"""More than can be answered: a partner that floods waits behind itself and is told to come back; others take turns with
it. [threats.md O10]"""

import pytest

from peer import judges
from peer.gateway import PATHS
from peer.metrics import metrics, total
from peer.town import QUILL, TEST_PATIENT, lakeside, riverside

CONNECTIONS, ROUNDS = 24, 4


@pytest.fixture(scope="module")
def narrow_town(found_town):
    """One thread, and room for two requests of a partner to wait."""
    town = found_town("narrow-town")
    town.gateway.stop()
    town.gateway.configure("threads", 1)
    town.gateway.configure("waiting_per_partner", 2)
    town.gateway.start()
    return town


@pytest.fixture(scope="module")
def flood(narrow_town):
    """Riverside asks on many connections at once; Lakeside goes on asking. @return answers of both, and the flood's
    messages"""
    town = narrow_town
    messages = [town.sender().patient_discovery(QUILL) for _ in range(CONNECTIONS * ROUNDS)]
    honest = [town.sender(lakeside()).patient_discovery(QUILL) for _ in range(ROUNDS)]
    mark = town.gateway.audit_mark()
    connections = [town.gateway.connect(riverside().tls) for _ in range(CONNECTIONS)]
    bystander = town.gateway.connect(lakeside().tls)
    flooded, served = [], []
    for turn in range(ROUNDS):
        asked = messages[turn * CONNECTIONS:(turn + 1) * CONNECTIONS]
        for connection, message in zip(connections, asked):
            content_type, body = message.wire()
            connection.send(f"POST {PATHS['ITI-55']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        served.append(town.ask(honest[turn], connection=bystander, path=PATHS["ITI-55"]))
        flooded += [connection.read_answer() for connection in connections]
    for connection in (*connections, bystander):
        connection.close()
    return messages, flooded, served, mark


def test_o10_a_flood_is_answered_in_part_and_told_to_come_back(flood):
    _, answers, _, _ = flood
    answered = [answer for answer in answers if answer.status == 200]
    turned_away = [answer for answer in answers if answer.status == 503]
    assert answered and turned_away and len(answered) + len(turned_away) == CONNECTIONS * ROUNDS
    assert all(answer.discovery.query_response == "OK" for answer in answered)
    for answer in turned_away:
        assert int(answer.headers["retry-after"]) > 0
        assert answer.fault.code == "Receiver"
        assert judges.leak(answer, (QUILL.family, QUILL.mrn)) == ""


def test_o10_others_are_answered_meanwhile(flood):
    _, _, served, _ = flood
    assert [answer.status for answer in served] == [200] * ROUNDS
    assert all(answer.discovery.query_response == "OK" for answer in served)


def test_o10_what_was_turned_away_spent_nothing_and_is_answered_later(narrow_town, flood):
    messages, answers, _, _ = flood
    again = next(message for message, answer in zip(messages, answers) if answer.status == 503)
    answer = narrow_town.ask(again, path=PATHS["ITI-55"])
    assert (answer.status, answer.discovery.query_response) == (200, "OK")
    [event] = [row for row in narrow_town.gateway.audit_of(again.message_id) if row["outcome"] == "released"]
    assert "repeat_of" not in event["payload"]


def test_o10_it_is_written_down_and_counted(narrow_town, flood):
    _, answers, _, mark = flood
    turned_away = sum(answer.status == 503 for answer in answers)
    reasons = [row["reason"] for row in narrow_town.gateway.audit_since(mark)]
    assert 0 < reasons.count("overloaded") <= turned_away
    assert total(metrics(narrow_town), "gatehouse_connections_total", "network", "overloaded") == turned_away
    assert narrow_town.ask(narrow_town.find_documents(TEST_PATIENT)).status == 200
