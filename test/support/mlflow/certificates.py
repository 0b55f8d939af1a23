"""Certificates for the TLS tests, made anew each time: python certificates.py FOLDER

ca.pem        an authority; server.pem and client.pem (each certificate and key) are signed by it
other-ca.pem  another authority, with other-client.pem signed by it
The server's certificate holds for 127.0.0.1 only.
"""

import datetime
import ipaddress
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

folder = pathlib.Path(sys.argv[1])
NOW = datetime.datetime.now(datetime.timezone.utc)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, extensions):
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(item):
    if isinstance(item, x509.Certificate):
        return item.public_bytes(serialization.Encoding.PEM)
    return item.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write(file, *items):
    (folder / file).write_bytes(b"".join(map(pem, items)))


def authority(text):
    key = ec.generate_private_key(ec.SECP256R1())
    extensions = [(x509.BasicConstraints(ca=True, path_length=None), True)]
    return key, certificate(text, key, text, key, extensions)


def signed(subject, authority_name, authority_key, extensions):
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(subject, key, authority_name, authority_key, extensions), key


ca_key, ca = authority("test authority")
other_key, other = authority("another authority")
address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
write("ca.pem", ca)
write("other-ca.pem", other)
write("server.pem", *signed("server", "test authority", ca_key, [(address, False)]))
write("client.pem", *signed("client", "test authority", ca_key, []))
write("other-client.pem", *signed("client", "another authority", other_key, []))
