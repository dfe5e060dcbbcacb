"""Keys and certificates of organizations that exist only in tests. [RFC 5280]"""

import datetime
import functools
import ipaddress
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

LONG_AGO = datetime.datetime(2020, 1, 1)
FAR_AHEAD = datetime.datetime(2049, 12, 31)


@functools.lru_cache(maxsize=None)
def rsa_key(name, bits=2048, exponent=65537):
    """One key per name and process: making keys is the slowest thing a test does."""
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


@functools.lru_cache(maxsize=None)
def ec_key(name):
    """One P-256 key per name and process."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Credential:
    """A private key with its certificate, and the certificates that lead from it to an anchor."""
    key: object
    certificate: x509.Certificate
    chain: tuple = ()

    @property
    def pem(self):
        return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (self.certificate, *self.chain))

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())

    @property
    def subject(self):
        """As RFC 2253 writes it: `CN=…,O=…`."""
        return self.certificate.subject.rfc4514_string()

    def write(self, prefix):
        """Writes PREFIX.pem and PREFIX.key. @return their paths"""
        prefix = Path(prefix)
        prefix.parent.mkdir(parents=True, exist_ok=True)
        certificate, key = prefix.with_suffix(".pem"), prefix.with_suffix(".key")
        certificate.write_bytes(self.pem)
        key.touch(mode=0o600)
        key.write_bytes(self.key_pem)
        return certificate, key


def read_certificates(pem):
    """All certificates of a PEM text, in order."""
    end = b"-----END CERTIFICATE-----"
    return [x509.load_pem_x509_certificate(piece + end) for piece in pem.split(end)[:-1]]


def der_of(pem):
    """DER of the first certificate of a PEM text."""
    return read_certificates(pem)[0].public_bytes(serialization.Encoding.DER)


def read_credential(certificate_path, key_path):
    certificates = read_certificates(Path(certificate_path).read_bytes())
    key = serialization.load_pem_private_key(Path(key_path).read_bytes(), password=None)
    return Credential(key, certificates[0], tuple(certificates[1:]))


def name_of(common_name, organization, unit=None):
    parts = [(NameOID.COUNTRY_NAME, "US"), (NameOID.ORGANIZATION_NAME, organization),
             (NameOID.ORGANIZATIONAL_UNIT_NAME, unit), (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])


def _builder(subject, issuer, public_key, not_before, not_after, serial):
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(not_before).not_valid_after(not_after)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False))


def _names(dns):
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in dns]
                                       + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


def _key_usage(is_authority, signs=True):
    return x509.KeyUsage(digital_signature=signs and not is_authority, key_cert_sign=is_authority, crl_sign=is_authority,
                         content_commitment=False, key_encipherment=not is_authority, data_encipherment=False,
                         key_agreement=False, encipher_only=False, decipher_only=False)


BOTH_SIDES = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


def evidence_at(lists=(), responders=(), issuers=()):
    """Extensions that say where evidence about a certificate can be had, and where its issuer's certificate is."""
    extensions = []
    if lists:
        points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in lists]
        extensions.append(x509.CRLDistributionPoints(points))
    ways = [(AuthorityInformationAccessOID.OCSP, url) for url in responders]
    ways += [(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in issuers]
    if ways:
        extensions.append(x509.AuthorityInformationAccess(
            [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in ways]))
    return tuple(extensions)


class Authority:
    """A certificate authority: `issue` makes credentials good for TLS on both sides and for message signatures."""

    def __init__(self, common_name="Test Network CA", organization="Test Network", key=None):
        key = key or rsa_key(f"authority {common_name}")
        subject = name_of(common_name, organization)
        builder = (_builder(subject, subject, key.public_key(), LONG_AGO, FAR_AHEAD, None)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
                   .add_extension(_key_usage(is_authority=True), critical=True))
        self.credential = Credential(key, builder.sign(key, hashes.SHA256()))
        self.presented = ()  # certificates between the anchor and those we issue to

    def issue(self, common_name, organization, *, unit="CAREQUALITY", key=None, dns=("localhost",),
              not_before=LONG_AGO, not_after=FAR_AHEAD, serial=None, usage=BOTH_SIDES, key_usage=True, further=(), critical=(), digest=None):
        """@param usage  extended key usages, empty for none  @param further, critical  more extensions"""
        key = key or rsa_key(f"{common_name} of {organization}")
        subject = name_of(common_name, organization, unit)
        issuer = self.credential
        builder = (_builder(subject, issuer.certificate.subject, key.public_key(), not_before, not_after, serial)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(_key_usage(is_authority=False, signs=key_usage), critical=True)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
                                  critical=False)
                   .add_extension(_names(dns), critical=False))
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(usage)), critical=False)
        for extension in further:
            builder = builder.add_extension(extension, critical=False)
        for extension in critical:
            builder = builder.add_extension(extension, critical=True)
        return Credential(key, builder.sign(issuer.key, digest or hashes.SHA256()), self.presented)

    def subordinate(self, common_name, *, path_length=None, further=(), certifies=True):
        """An authority that this one certifies, with its own certificate presented by those it issues to."""
        key = rsa_key(f"authority {common_name}")
        subject, issuer = name_of(common_name, "Test Network"), self.credential
        builder = (_builder(subject, issuer.certificate.subject, key.public_key(), LONG_AGO, FAR_AHEAD, None)
                   .add_extension(x509.BasicConstraints(ca=certifies, path_length=path_length if certifies else None),
                                  critical=True)
                   .add_extension(_key_usage(is_authority=True), critical=True))
        for extension in further:
            builder = builder.add_extension(extension, critical=True)
        made = Authority.__new__(Authority)
        made.credential = Credential(key, builder.sign(issuer.key, hashes.SHA256()))
        made.presented = (made.credential.certificate, *self.presented)
        return made

    def subordinate_of_version_1(self, common_name):
        """An authority whose certificate is of version 1, which has no extensions and so cannot say that it is one."""
        key = rsa_key(f"authority {common_name}")
        request = x509.CertificateSigningRequestBuilder().subject_name(name_of(common_name, "Test Network"))
        with tempfile.TemporaryDirectory() as folder:
            _, issuer_key = self.credential.write(f"{folder}/issuer")
            asked, given = Path(folder, "request.pem"), Path(folder, "given.pem")
            asked.write_bytes(request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
            subprocess.run(["openssl", "x509", "-req", "-in", asked, "-CA", f"{folder}/issuer.pem", "-CAkey", issuer_key,
                            "-set_serial", "1", "-days", "30", "-out", given], check=True, capture_output=True)
            certificate, = read_certificates(given.read_bytes())
        assert certificate.version == x509.Version.v1
        made = Authority.__new__(Authority)
        made.credential, made.presented = Credential(key, certificate), (certificate, *self.presented)
        return made

    def crl(self, revoked=(), *, days=1, ago=datetime.timedelta(hours=1), lasts=None, key=None):
        """DER of a list. @param lasts  from now to nextUpdate; else `days`  @param key  that signs it, else our own"""
        now = datetime.datetime.utcnow()
        lasts = datetime.timedelta(days=days) if lasts is None else lasts
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.credential.certificate.subject)
                   .last_update(now - ago).next_update(now + lasts))
        for credential in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(credential.certificate.serial_number)
                .revocation_date(now - ago).build())
        return builder.sign(key or self.credential.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def write(self, path):
        Path(path).write_bytes(self.credential.pem)
        return Path(path)


def self_signed(common_name, organization, *, unit="CAREQUALITY", key=None, serial=None):
    """What a production client uses: one self-signed certificate that says it is an authority."""
    key = key or rsa_key(f"self-signed {common_name} of {organization}")
    subject = name_of(common_name, organization, unit)
    builder = (_builder(subject, subject, key.public_key(), LONG_AGO, FAR_AHEAD, serial)
               .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
               .add_extension(_names(("localhost",)), critical=False))
    return Credential(key, builder.sign(key, hashes.SHA256()))
