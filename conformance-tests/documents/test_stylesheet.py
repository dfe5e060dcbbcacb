"""The page made of a CDA document by gateway/documents/cda.xsl: nothing active gets through, nothing written gets lost.

Samples of other makers are read from the shared folder (GATEHOUSE_SHARED, else ../shared) and skipped where it is absent.
"""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STYLESHEET = ROOT / "gateway/documents/cda.xsl"
HOSTILE = ROOT / "conformance-tests/data/cda/hostile.xml"
SHARED = Path(os.environ.get("GATEHOUSE_SHARED", ROOT.parent / "shared"))
SAMPLES = sorted((SHARED / "samples/cda").glob("*.xml"))
CDA = "{urn:hl7-org:v3}"

pytestmark = pytest.mark.skipif(not shutil.which("xsltproc"), reason="xsltproc is not installed")
every_sample = pytest.mark.parametrize(
    "sample", SAMPLES or [pytest.param(None, marks=pytest.mark.skip(reason="no shared samples"))],
    ids=lambda path: path.stem if path else "none")

PAGE_TAGS = {"html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "div", "span"}
TEXT_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "ul", "ol", "li", "dl", "dt", "dd", "br", "a",
             "strong", "em", "sub", "sup", "del", "ins"}
TABLE_TAGS = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
NAME = r"[A-Za-z0-9._-]+"
LINK = r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+|#" + NAME

# What each attribute may hold, whatever the document says; an attribute that is not here may not appear at all.
ATTRIBUTES = {
    "id": NAME, "lang": r"[A-Za-z][A-Za-z0-9-]+", "href": LINK, "rel": "noopener noreferrer nofollow",
    "class": "patient|patient-name|facts|quiet|narrative|paragraph|note|caption|table|underline|footnote|no-image"
             "|(little|big)-(roman|alpha)",
    "aria-label": "Patient|About this document|Contents|Content", "aria-labelledby": r"s[0-9-]+-title",
    "role": "region", "tabindex": "0", "scope": "row|col|rowgroup|colgroup",
    "colspan": r"\d{1,3}", "rowspan": r"\d{1,3}",
    "http-equiv": "Content-Type|Content-Security-Policy", "name": "viewport|referrer", "content": r"[^<>\"]+",
}
ATTRIBUTE_OWNERS = {"href": {"a"}, "rel": {"a"}, "scope": {"th"}, "colspan": {"th", "td"}, "rowspan": {"th", "td"},
                    "http-equiv": {"meta"}, "name": {"meta"}, "content": {"meta"}, "lang": {"html"}}


class Page(HTMLParser):
    """Start tags, attributes, words and the text of headings of a rendered page."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.headings, self.styles = [], [], [], [], []
        self._open = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag in ("style", "title") or re.fullmatch("h[1-6]", tag):
            self._open = tag
            if tag[0] == "h":
                self.headings.append("")

    def handle_endtag(self, tag):
        if tag == self._open:
            self._open = None

    def handle_data(self, data):
        if self._open == "style":
            self.styles.append(data)
            return
        if self._open and self._open[0] == "h":
            self.headings[-1] += data
        if self._open != "title":
            self.text.append(data)

    def words(self):
        return squeezed("".join(self.text))


def squeezed(text):
    """Without white space: cells and items are told apart by elements there and by blanks here."""
    return re.sub(r"\s+", "", text)


def normalized(text):
    return " ".join(text.split())


def render(path):
    done = subprocess.run(["xsltproc", "--nonet", "--nowrite", STYLESHEET, path], capture_output=True, check=True,
                          timeout=60)
    assert done.stderr == b"", "the stylesheet must not try to fetch or complain"
    return done.stdout.decode("utf-8")


def render_text(xml, tmp_path):
    path = tmp_path / "document.xml"
    path.write_text(xml, encoding="utf-8")
    return render(path)


def document(body, header=""):
    return (f'<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">{header}'
            f"<component>{body}</component></ClinicalDocument>")


def section(text, title="A section"):
    return document(f"<structuredBody><component><section><title>{title}</title><text>{text}</text></section>"
                    "</component></structuredBody>")


def assert_harmless(html):
    page = Page(html)
    assert set(page.tags) <= PAGE_TAGS | TEXT_TAGS | TABLE_TAGS
    for tag, name, value in page.attributes:
        assert name in ATTRIBUTES, f"<{tag} {name}=…>"
        assert tag in ATTRIBUTE_OWNERS.get(name, {tag}), f"<{tag} {name}=…>"
        assert re.fullmatch(ATTRIBUTES[name], value), f"<{tag} {name}={value!r}>"
    assert page.tags.count("style") == 1 and page.tags.count("title") == 1
    assert "url(" not in page.styles[0] and "@import" not in page.styles[0]
    return page


@every_sample
def test_only_allowed_elements_and_attributes_come_out(sample):
    assert_harmless(render(sample))


@every_sample
def test_every_section_title_is_a_heading_and_every_word_of_the_narrative_is_on_the_page(sample):
    page = Page(render(sample))
    headings = {normalized(heading) for heading in page.headings}
    words = page.words()
    for part in ET.parse(sample).iter(CDA + "section"):
        title = normalized("".join(part.find(CDA + "title").itertext())) if part.find(CDA + "title") is not None else ""
        assert not title or title in headings
        text = part.find(CDA + "text")
        narrative = squeezed("".join(text.itertext())) if text is not None else ""
        assert narrative in words, f"narrative of {title!r}"


@every_sample
def test_the_table_of_contents_links_to_sections_that_exist(sample):
    page = Page(render(sample))
    ids = [value for _, name, value in page.attributes if name == "id"]
    places = [value[1:] for tag, name, value in page.attributes if name == "href" and re.fullmatch(r"#s\d+", value)]
    root = ET.parse(sample).getroot()
    assert len(places) == len(root.findall(f"{CDA}component/{CDA}structuredBody/{CDA}component/{CDA}section"))
    assert set(places) <= set(ids)


@pytest.fixture(scope="module")
def hostile():
    return render(HOSTILE)


def test_hostile_document_leaves_nothing_active(hostile):
    page = assert_harmless(hostile)
    values = [value for _, _, value in page.attributes]
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("style", "src", "srcdoc")]
    assert not [value for value in values if "canary" in value or re.search(r"(?i)script:|data:|file:", value)]
    assert "<?" not in hostile and "<!--" not in hostile


def test_hostile_document_keeps_good_links_only(hostile):
    links = [value for tag, name, value in Page(hostile).attributes if tag == "a" and name == "href"]
    outward = [link for link in links if not link.startswith("#")]
    assert outward == ["https://example.org/leaflet?id=1&lang=en", "https://example.org/outer"]
    assert "#ref-place" in links and "#ref-fn1" in links


@pytest.mark.parametrize("words", [
    "link javascript", "link data", "link without scheme", "style css", "cell one", "cell five",
    "stray words in a table", "cell outside a table", "stray in list", "frame words", "object words", "svg words",
    "form words", "noscript words", "picture of a knee", "No narrative in this section.", "a web page (HTML)",
    "<script>alert('escaped')</script>", "<script>alert('cdata')</script>", "</pre><script>alert('plain')</script>",
])
def test_hostile_document_keeps_its_words(hostile, words):
    assert squeezed(words) in Page(hostile).words()


def test_social_security_number_shows_its_last_four_digits_only(hostile):
    assert "ending in 6789" in hostile and "900-12" not in hostile


@pytest.mark.parametrize("value, shown", [
    ("2024", "2024"), ("202403", "2024-03"), ("20240305", "2024-03-05"), ("202403051430", "2024-03-05 14:30"),
    ("20240305143015.123-0500", "2024-03-05 14:30"), ("20240305-0500", "2024-03-05"), ("soon", "soon"),
])
def test_time_is_written_at_the_precision_given(tmp_path, value, shown):
    html = render_text(document("", f'<effectiveTime value="{value}"/>'), tmp_path)
    assert f"<dt>Created</dt><dd>{shown}</dd>" in html


@pytest.mark.parametrize("code, lang", [("en-US", "en-US"), ("de", "de"), ("eng", "en"), ("", "en"), ("1x", "en"),
                                        ("en onload", "en")])
def test_language_of_the_page_is_that_of_the_document(tmp_path, code, lang):
    assert f'<html lang="{lang}">' in render_text(document("", f'<languageCode code="{code}"/>'), tmp_path)


def test_banner_names_the_patient_in_reading_order(tmp_path):
    html = render_text(document("", """<recordTarget><patientRole><patient><name use="P"><given>Liz</given></name>
        <name use="L"><family>Quux</family><suffix>III</suffix><given>Eliza</given><given>Mae</given><prefix>Dr.</prefix></name>
        <birthTime value="19800229000000+0000"/></patient></patientRole></recordTarget>"""), tmp_path)
    assert "Dr. Eliza Mae Quux III" in html and "<dd>1980-02-29</dd>" in html


@pytest.mark.parametrize("narrative, html", [
    ("<content styleCode='Bold'>x</content>", "<strong>x</strong>"),
    ("<content styleCode='Italics Underline'>x</content>", '<em><span class="underline">x</span></em>'),
    ("<content styleCode='Emphasis'>x</content>", "<em>x</em>"),
    ("<content styleCode='xPrivate'>x</content>", ">x<"),
    ("<content revised='delete'>x</content>", "<del>x</del>"),
    ("<list listType='ordered'><caption>c</caption><item>x</item></list>", '<p class="caption">c</p><ol><li>x</li></ol>'),
    ("H<sub>2</sub>O<br/>m<sup>2</sup>", "H<sub>2</sub>O<br>m<sup>2</sup>"),
    ("<table><tbody><tr><th>k</th><td>v</td></tr></tbody></table>", '<tr><th scope="row">k</th><td>v</td></tr>'),
    ("<table><tr><td colspan='3' rowspan='02'>v</td></tr></table>", '<td colspan="3" rowspan="2">v</td>'),
    ("<renderMultiMedia referencedObject='m'><caption>knee</caption></renderMultiMedia>", "[image not shown: knee]"),
    (" ", "No narrative in this section."),
])
def test_narrative_element(tmp_path, narrative, html):
    assert html in render_text(section(narrative), tmp_path)


@pytest.mark.parametrize("text, shown", [
    ("<text mediaType='text/plain'>a &lt;b&gt;\nc</text>", "<pre>a &lt;b&gt;\nc</pre>"),
    ("<text mediaType='text/plain' representation='B64'>w7wK\nIGI=</text>", "<pre>ü\n b</pre>"),
    ("<text mediaType='text/plain' representation='B64'>AAECwxgtYQ==</text>", "a text file"),  # not UTF-8
    ("<text mediaType='application/pdf' representation='B64'>JVBERi0=</text>", "a PDF file"),
    ("<text mediaType='application/pdf'><reference value='http://canary.invalid/x.pdf'/></text>", "was not sent along"),
])
def test_body_that_is_a_file(tmp_path, text, shown):
    html = render_text(document(f"<nonXMLBody>{text}</nonXMLBody>"), tmp_path)
    assert shown in html and "canary" not in html


def test_sections_within_sections_get_lower_headings(tmp_path):
    inner = "<component><section><title>Inner</title><text>x</text></section></component>"
    html = render_text(document("<structuredBody><component><section><title>Outer</title>" + inner
                                + "</section></component></structuredBody>"), tmp_path)
    assert '<h2 id="s1-title">Outer</h2>' in html and '<h3 id="s1-1-title">Inner</h3>' in html
    assert "No narrative" not in html


def test_something_that_is_not_a_clinical_document_says_so(tmp_path):
    assert "not a clinical document" in render_text("<html><script>x</script></html>", tmp_path)
