"""`gatehouse direct open` judges what plain `openssl cms` made, and the samples of others as their index says.
[Applicability Statement 1.3; facts/direct §2–§8]"""

import json
import subprocess

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from peer.ca import Authority
from peer.gateway import program
from peer.judges import SHARED

PEER, OURS = "referrals@direct.hie.example", "frontdesk@direct.clinic.example"
MAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
INNER = (f"From: {PEER}\r\nTo: {OURS}\r\nDate: Fri, 20 Nov 2026 10:15:30 -0500\r\nMessage-ID: <1@direct.hie.example>\r\n"
         "MIME-Version: 1.0\r\nSubject: A referral\r\nContent-Type: text/plain\r\n\r\nA marker: 4711.\r\n")
GENERATED = SHARED / "samples/direct/generated"


def run(*arguments, feed=None):
    return subprocess.run([str(one) for one in arguments], input=feed, capture_output=True, check=True, timeout=60).stdout


class Post:
    """A peer that speaks through plain `openssl cms`, and the files we open its messages with."""

    def __init__(self, folder):
        self.folder = folder
        authority, strangers = Authority("Direct CA"), Authority("Strangers")
        (folder / "anchors.pem").write_bytes(authority.credential.pem)
        clinic = authority.issue("clinic", "Clinic", dns=("direct.clinic.example",), usage=MAIL)
        self.clinic = clinic.write(folder / "clinic")
        self.signers = {
            "trusted": authority.issue("hie", "HIE", dns=("direct.hie.example",), usage=MAIL),
            "a stranger's": strangers.issue("hie", "HIE", dns=("direct.hie.example",), usage=MAIL),
            "another domain's": authority.issue("other", "Other", dns=("direct.other.example",), usage=MAIL),
            "for TLS alone": authority.issue("tls", "TLS", dns=("direct.hie.example",)),
        }
        for name, credential in self.signers.items():
            credential.write(folder / name)

    def sealed(self, signer="trusted", *, inner=INNER, sign=(), encrypt=("-aes128",)):
        """As a message goes through SMTP: wrapped, signed, enveloped."""
        wrapped = b"Content-Type: message/rfc822\r\n\r\n" + inner.encode()
        entity = run("openssl", "cms", "-sign", "-binary", "-crlfeol", "-md", "sha256", "-signer",
                     self.folder / f"{signer}.pem", "-inkey", self.folder / f"{signer}.key", *sign, feed=wrapped)
        cms = run("openssl", "cms", "-encrypt", "-binary", "-crlfeol", *encrypt, self.clinic[0], feed=entity)
        return f"From: {PEER}\r\nTo: {OURS}\r\n".encode() + cms

    def open(self, message, *, to=OURS, sender=PEER, more=()):
        """@return exit code, reason, the opened message or None"""
        file, out = self.folder / "message.eml", self.folder / "opened.eml"
        file.write_bytes(message)
        out.unlink(missing_ok=True)
        done = subprocess.run([str(program()), "direct", "open", str(file), "--from", sender, "--to", to, "--certificate",
                               str(self.clinic[0]), "--key", str(self.clinic[1]), "--anchors",
                               str(self.folder / "anchors.pem"), "--out", str(out), "--json", *more],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, json.loads(done.stdout)["reason"], out.read_bytes() if out.exists() else None


@pytest.fixture(scope="module")
def post(built, tmp_path_factory):
    return Post(tmp_path_factory.mktemp("direct"))


@pytest.mark.parametrize("options", [{}, {"encrypt": ("-aes256",)}, {"encrypt": ("-aes-256-gcm",)},
                                     {"sign": ("-nodetach",)}, {"sign": ("-keyopt", "rsa_padding_mode:pss")},
                                     {"sign": ("-md", "sha512")}], ids=str)
def test_what_openssl_signed_and_enveloped_is_opened(post, options):
    exit, reason, opened = post.open(post.sealed(**options))
    assert (exit, reason) == (0, "Accepted")
    assert opened == INNER.encode()


@pytest.mark.parametrize(("signer", "options", "reason"), [
    ("a stranger's", {}, "UntrustedAnchor"), ("another domain's", {}, "BindingMismatch"), ("for TLS alone", {}, "KeyUsage"),
    ("trusted", {"sign": ("-md", "sha1")}, "WeakDigest"), ("trusted", {"encrypt": ("-des3",)}, "WeakCipher"),
    ("trusted", {"inner": INNER.replace(f"To: {OURS}", "To: carol@direct.clinic.example")}, "RoutingTamper"),
    ("trusted", {"inner": INNER.replace(f"From: {PEER}", "From: evil@direct.hie.example")}, "RoutingTamper"),
    ("trusted", {"inner": INNER.replace("Date:", f"From: {PEER}\r\nDate:")}, "MalformedHeader"),
], ids=str)
def test_what_may_not_be_believed_is_refused_with_its_reason(post, signer, options, reason):
    assert post.open(post.sealed(signer, **options)) == (1, reason, None)


def test_what_is_not_enveloped_or_for_another_is_refused(post):
    assert post.open(b"Subject: plain\r\n\r\ntext\r\n") == (1, "NotEncrypted", None)
    sealed = post.sealed()
    post.clinic, ours = post.signers["trusted"].write(post.folder / "hers"), post.clinic
    try:
        assert post.open(sealed) == (1, "NoDecryptKey", None)
    finally:
        post.clinic = ours


@pytest.mark.skipif(not GENERATED.is_dir(), reason="the samples are not beside the checkout")
def test_a_sample_of_others_is_opened_and_its_crl_is_heeded(built, tmp_path):
    pki = GENERATED / "pki"

    def open(case, *more):
        (tmp_path / "us.key").write_bytes((pki / "us-dom.key").read_bytes())
        (tmp_path / "us.key").chmod(0o600)
        done = subprocess.run([str(program()), "direct", "open", str(GENERATED / "msg" / f"{case}.eml"), "--from", PEER,
                               "--to", OURS, "--certificate", str(pki / "us-dom.pem"), "--key", str(tmp_path / "us.key"),
                               "--anchors", str(pki / "anchorA.pem"), "--json", *more], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout)["reason"]

    assert open("g01-wrapped-sha256-aes128cbc") == (0, "Accepted")
    assert open("t13-revoked", "--crl", str(pki / "anchorA.crl")) == (1, "CertRevoked")
    assert open("g27-unwrapped") == (0, "Accepted")
    assert open("g27-unwrapped", "--wrapped-only") == (1, "NotWrapped")
