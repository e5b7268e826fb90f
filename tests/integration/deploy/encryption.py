"""A certificate authority, a Kafka that asks for TLS and a login, and TLS in front of the embedded PostgreSQL."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.devstack.embedded import kafka_node
from services.devstack.embedded.kafka_node import Layout

USER, PASSWORD = "drumbeat", "not-for-everybody"
SSL_REQUEST = (8).to_bytes(4) + (80_877_103).to_bytes(4)
"""What a client of PostgreSQL sends first when it wants TLS; the server answers `S` (its protocol, section 54.2.11)."""
LENGTH_OF_READ = 65_536
DAY = timedelta(days=1)


class Certificates:
    """An authority in `ca.pem`, and `server.pem` (PKCS 8 key, then certificate) for 127.0.0.1 and localhost."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority, self.server = folder / "ca.pem", folder / "server.pem"
        authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = _certificate(
            "Authority of the test", authority_key, "Authority of the test", authority_key
        )
        server = _certificate("localhost", server_key, "Authority of the test", authority_key)
        self.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        key = server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.server.write_bytes(key + server.public_bytes(serialization.Encoding.PEM))

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        return context


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signs: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now, is_authority = datetime.now(UTC), name == issuer
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signs.public_key()), critical=False)
        .sign(signs, hashes.SHA256())
    )


def encrypt_kafka(monkeypatch: pytest.MonkeyPatch, server: Path, port: int) -> str:
    """Give nodes that are started later a listener with TLS and SASL PLAIN; its address."""
    plain = kafka_node.properties

    def properties(layout: Layout, node: int, log_dir: Path) -> dict[str, str]:
        values = plain(layout, node, log_dir)
        protocols = values["listener.security.protocol.map"]
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        return values | {
            "listeners": f"{values['listeners']},CLIENTS://127.0.0.1:{port}",
            "advertised.listeners": f"{values['advertised.listeners']},CLIENTS://127.0.0.1:{port}",
            "listener.security.protocol.map": f"{protocols},CLIENTS:SASL_SSL",
            "listener.name.clients.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.clients.plain.sasl.jaas.config": f'{login} user_{USER}="{PASSWORD}";',
            "listener.name.clients.ssl.keystore.type": "PEM",
            "listener.name.clients.ssl.keystore.location": str(server),
        }

    monkeypatch.setattr(kafka_node, "properties", properties)
    return f"127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def encrypting_postgres(certificates: Certificates, port: int) -> AsyncGenerator[tuple[int, list[str]]]:
    """A port that takes connections with TLS alone and hands what it decrypts to `port`; the ciphers that were used."""
    ciphers: list[str] = []
    context = certificates.context()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(context)
                ciphers.append(writer.get_extra_info("cipher")[0])
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1], ciphers
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await reader.read(LENGTH_OF_READ):
            writer.write(content)
            await writer.drain()
    writer.close()
