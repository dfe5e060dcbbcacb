"""Stored queries that other makers wrote, good and bad, each with the answer it is to get and the fact it follows.

They are asked twice: as they stand, and as if they named our community. None of their patients and objects is ours."""

import copy

import pytest
from lxml import etree

from peer import judges, names
from peer.answers import NO_NETWORK
from peer.town import HOME

pytestmark = pytest.mark.both_databases

EMPTY = "Success"
NO_HOME, NOT_OURS = "XDSMissingHomeCommunityId", "XDSUnknownCommunity"
UNREADABLE, MISSING, UNKNOWN = "XDSRegistryError", "XDSStoredQueryMissingParam", "XDSUnknownStoredQuery"
# file, as it stands, with our home, the fact
TABLE = [
    ("connect-classcode-and-servicestart.xml", EMPTY, EMPTY, "§3.6: an unknown patient is an empty Success"),
    ("connect-classcode-one.xml", EMPTY, EMPTY, "§3.1: a code without its scheme is read"),
    ("connect-creationtime-between.xml", EMPTY, EMPTY, "§3.6: an unknown patient is an empty Success"),
    ("connect-creationtime-left-edge.xml", EMPTY, EMPTY, "§3.6: an unknown patient is an empty Success"),
    ("connect-entityload.xml", UNREADABLE, UNREADABLE, "§3.1: returnType RegistryObject is none of IHE's two"),
    ("connect-eventcodes-comma-list.xml", NOT_OURS, EMPTY, "§3.4: a home that is named is checked"),
    ("connect-eventcodes-multiple-slots.xml", NOT_OURS, EMPTY, "§3.4: a home that is named is checked"),
    ("connect-finddocuments.xml", EMPTY, EMPTY, "§3.4: a query with a patient id needs no home"),
    ("connect-findfolders.xml", EMPTY, EMPTY, "§3.4: a query with a patient id needs no home"),
    ("connect-findsubmissionsets.xml", EMPTY, EMPTY, "§3.4: a query with a patient id needs no home"),
    ("connect-getall.xml", EMPTY, EMPTY, "§3.4: a query with a patient id needs no home"),
    ("connect-getassociations.xml", NO_HOME, EMPTY, "§3.4; §3.2: zero rows are no error, whatever the id"),
    ("connect-getdocuments.xml", NO_HOME, EMPTY, "§3.4; §3.2: zero rows are no error, whatever the id"),
    ("connect-getfolderandcontents.xml", NO_HOME, EMPTY, "§3.4; §3.2: zero rows are no error, whatever the id"),
    ("connect-getrelateddocuments.xml", NO_HOME, MISSING, "§3.2: one of EntryUUID and UniqueId"),
    ("connect-getsubmissionsets.xml", NO_HOME, EMPTY, "§3.4; §3.2: zero rows are no error, whatever the id"),
    ("connect-type-both.xml", NOT_OURS, EMPTY, "§3.1: stray text in a slot is passed over"),
    ("connect-type-stable.xml", NOT_OURS, EMPTY, "§3.1: stray text in a slot is passed over"),
    ("ipf-iti18request.xml", UNREADABLE, UNREADABLE, "§3.1: SQL behind a patient id makes it no CX"),
    ("nist-12310-finddocs-leafclass.xml", EMPTY, EMPTY, "§3.4: a query with a patient id needs no home"),
    ("nist-12311-getdocuments-home.xml", NOT_OURS, EMPTY, "§3.4: a home that is named is checked"),
    ("nist-15829-ondemand-finddocs.xml", UNREADABLE, UNREADABLE, "§3.1: `x-Patient_ID` is no CX"),
    ("nist-sq-req.xml", EMPTY, EMPTY, "§3.4: a query with a patient id needs no home"),
    ("nist-sq1.txt", UNREADABLE, UNREADABLE, "§3.1: `xxx` is no CX"),
    ("nist-xcq-req.xml", EMPTY, EMPTY, "§3.4: a query with a patient id needs no home"),
    ("connect-empty-patientid-value.xml", MISSING, MISSING, "§3.2: the patient id is required"),
    ("connect-invalid-creationtimeto.xml", UNREADABLE, UNREADABLE, "§3.6: XDSRegistryError where nothing fits better"),
    ("connect-no-query-id.xml", UNKNOWN, UNKNOWN, "§3.6: a query id that is no query's"),
    ("connect-unknown-stored-query.xml", UNKNOWN, UNKNOWN, "§3.6: a query id that is no query's"),
    ("nist-15815-unknown-community.xml", NOT_OURS, EMPTY, "§3.4: a home that is named is checked"),
]


def query_in(path):
    """The AdhocQueryRequest in a message, bare or in its envelope; None where there is none."""
    data = path.read_bytes()
    try:
        root = etree.fromstring(data[data.find(b"<"):].strip(), NO_NETWORK)
    except etree.XMLSyntaxError:
        return None
    return next(root.iter("{*}AdhocQueryRequest"), None)


@pytest.fixture(scope="module")
def queries(shared):
    """name -> payload, of every stored query among these samples"""
    paths = [*(shared / "samples" / "xca" / "query" / "requests").iterdir(), *(shared / "samples" / "negative").iterdir()]
    found = {path.name: query_in(path) for path in sorted(paths)}
    return {name: etree.fromstring(etree.tostring(query, with_tail=False))
            for name, query in found.items() if query is not None}


def test_every_query_of_others_has_its_row(queries):
    assert sorted(queries) == sorted(row[0] for row in TABLE)


@pytest.mark.parametrize("file, as_it_stands, at_home, fact", TABLE, ids=[row[0] for row in TABLE])
def test_is_answered_as_the_table_says(town, queries, file, as_it_stands, at_home, fact):
    ours = copy.deepcopy(queries[file])
    next(ours.iter("{*}AdhocQuery")).set("home", f"urn:oid:{HOME}")
    for payload, expected in ((copy.deepcopy(queries[file]), as_it_stands), (ours, at_home)):
        answer = town.ask(town.sender().cross_gateway_query(payload))
        said = answer.query
        assert said.is_empty, fact
        assert (said.status == names.SUCCESS) == (expected == EMPTY), fact
        assert [e.code for e in said.errors] == ([] if expected == EMPTY else [expected]), fact
    assert judges.schema_complaints(answer) == {}
