"""The tool's way to a controller: wire, link, preface, TLS, requests (host).

Every layer is the real one; at the far end is a controller in a thread of this test.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from controller_tool.channel import dial
from controller_tool.channel.address import Address, connect, is_network, parse
from controller_tool.channel.preface import knock
from controller_tool.client import Client
from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.keys import certificates
from protocol import codes as c
from protocol import messages, preface
from protocol.constants import CHUNK_BYTES
from tests.unit.inprocess_controller import DEVICE, Credentials, InprocessController

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


ENVELOPE = b"what is signed"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return Credentials(tmp_path_factory.mktemp("keys"), c.ROLE_DESK)


@pytest.fixture
def controller(credentials: Credentials) -> Iterator[InprocessController]:
    made = InprocessController(credentials)
    yield made
    made.close()


@pytest.fixture
def tcp(controller: InprocessController) -> Address:
    return Address("tcp", *controller.listen())


@pytest.fixture(params=["tcp", "cable"])
def address(request: pytest.FixtureRequest, controller: InprocessController) -> Address:
    if request.param == "tcp":
        return Address("tcp", *controller.listen())
    return Address("serial", controller.cable())


def take_list(controller: InprocessController, held: bytes = b"") -> bytearray:
    """Lets the controller take a list of which it holds a part; what it has taken."""
    taken = bytearray(held)

    def chunk(offset: int, data: bytes) -> int:
        assert offset == len(taken)
        taken.extend(data)
        return len(taken)

    controller.answer[c.OP_LIST_BEGIN] = lambda _: len(taken)
    controller.answer[c.OP_LIST_CHUNK] = chunk
    controller.answer[c.OP_LIST_COMMIT] = lambda nonce: b"receipt for " + nonce
    return taken


def test_a_question_is_answered_over_either_wire(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    controller.answer[c.OP_GET_TIME] = lambda: [12, 500, c.CLOCK_SYNCED, 7]
    with Client(dial.open_session(address, credentials.identity())) as client:
        said = client.time()
    assert (said.time_s, said.ms, said.floor_s) == (12, 500, 7)


def test_a_second_session_follows_the_first(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    controller.answer[c.OP_PING] = lambda: None
    for _ in range(3):
        with Client(dial.open_session(address, credentials.identity())) as client:
            client.ping()


def test_a_list_arrives_whole_and_in_order(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    payload = os.urandom(10 * CHUNK_BYTES + 17)
    taken = take_list(controller)
    reached: list[int] = []
    with Client(dial.open_session(address, credentials.identity())) as client:
        nonce, receipt = client.put_list(ENVELOPE, payload, 0, lambda done, _: reached.append(done))
        sent = client.session.sent_bytes
    assert taken == payload
    assert receipt == b"receipt for " + nonce
    assert reached == [0, *range(CHUNK_BYTES, len(payload), CHUNK_BYTES), len(payload)]
    assert len(payload) < sent < len(payload) * 1.3


def test_an_interrupted_list_goes_on_where_the_controller_says(
    controller: InprocessController, tcp: Address, credentials: Credentials
) -> None:
    payload = os.urandom(3 * CHUNK_BYTES)
    taken = take_list(controller, payload[:CHUNK_BYTES])
    with Client(dial.open_session(tcp, credentials.identity())) as client:
        client.put_list(ENVELOPE, payload, client.begin_list(ENVELOPE))
    assert taken == payload


def test_a_refusal_has_its_code_its_name_and_a_next_step(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    def refuse(_: bytes) -> int:
        raise messages.Refused(c.ERR_VERSION_LOW)

    controller.answer[c.OP_LIST_BEGIN] = refuse
    with Client(dial.open_session(address, credentials.identity())) as client:
        with pytest.raises(DeviceError, match="version_not_higher") as caught:
            client.begin_list(ENVELOPE)
        assert caught.value.code == c.ERR_VERSION_LOW
        assert caught.value.next_step
        controller.answer[c.OP_PING] = lambda: None
        client.ping()  # a refusal ends nothing


def test_a_refused_list_leaves_the_session_in_step(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    def refuse(*_: object) -> int:
        raise messages.Refused(c.ERR_SIGNATURE)

    controller.answer = {c.OP_LIST_BEGIN: refuse, c.OP_LIST_CHUNK: refuse, c.OP_GET_NONCE: bytes}
    with Client(dial.open_session(address, credentials.identity())) as client:
        with pytest.raises(DeviceError) as caught:
            client.put_list(ENVELOPE, bytes(3 * CHUNK_BYTES))
        assert caught.value.code == c.ERR_SIGNATURE
        assert client.nonce() == b""


def test_a_stranger_without_the_link_key_is_hung_up_on(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    stranger = credentials.identity(peer_key=bytes(32))
    with pytest.raises(DeviceError, match="does not know our key"):
        dial.open_session(address, stranger)
    assert controller.refused == 1
    controller.answer[c.OP_PING] = lambda: None
    with Client(dial.open_session(address, credentials.identity())) as client:
        client.ping()


def test_a_certificate_of_a_strange_authority_is_refused(
    tcp: Address, credentials: Credentials
) -> None:
    strange_key, strange_ca = certificates.issue_ca("strangers")
    _, peer = credentials.issue(strange_key, strange_ca, "stranger")
    who = credentials.identity(
        name="stranger",
        peer_id=peer,
        peer_key=preface.peer_key(bytes(range(32)), credentials.role, peer),
    )
    with pytest.raises(DeviceError, match="refused our certificate"):
        dial.open_session(tcp, who)


def test_only_the_pinned_controller_is_trusted(address: Address, credentials: Credentials) -> None:
    ca_key, ca = certificates.issue_ca("devices")
    _, another = certificates.issue_device_certificate(ca_key, ca, DEVICE)
    with pytest.raises(DeviceError, match="not the controller that was provisioned"):
        dial.open_session(address, credentials.identity(pinned_der=another))


def test_a_controller_of_another_name_is_refused(
    controller: InprocessController, tcp: Address, credentials: Credentials
) -> None:
    # the right certificate, but the registry says that another controller should answer
    with pytest.raises(DeviceError, match="another controller answers here"):
        dial.open_session(tcp, credentials.identity(device_id=bytes(8)))
    assert controller.refused == 1


def test_a_busy_controller_is_waited_for_and_the_person_is_told(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    controller.wait_s = [1]
    controller.answer[c.OP_PING] = lambda: None
    told: list[str] = []
    with Client(dial.open_session(address, credentials.identity(), told.append)) as client:
        client.ping()
    assert told == ["door-1 asks to wait 1 s (another session, or too many in this minute)"]


def test_waiting_has_an_end(
    controller: InprocessController,
    tcp: Address,
    credentials: Credentials,
) -> None:
    controller.wait_s = [dial.BUSY_WAIT_MAX_S + 1]
    with pytest.raises(LinkError, match="stays busy"):
        dial.open_session(tcp, credentials.identity())


def test_a_poor_cable_and_boot_noise_delay_but_lose_nothing(
    controller: InprocessController, credentials: Credentials
) -> None:
    controller.noise = b"\xc5ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET)\r\n\xc5\x50"
    controller.drop_every = controller.corrupt_every = 2_000
    payload = os.urandom(20 * CHUNK_BYTES)
    taken = take_list(controller)
    place = Address("serial", controller.cable())
    with Client(dial.open_session(place, credentials.identity())) as client:
        client.put_list(ENVELOPE, payload)
    assert taken == payload


def test_a_wire_that_breaks_in_the_middle_is_one_line(
    controller: InprocessController, address: Address, credentials: Credentials
) -> None:
    controller.break_after = 5 * CHUNK_BYTES
    take_list(controller)
    with (
        Client(dial.open_session(address, credentials.identity())) as client,
        pytest.raises(LinkError) as caught,
    ):
        client.put_list(ENVELOPE, os.urandom(20 * CHUNK_BYTES))
    assert "\n" not in str(caught.value)
    assert caught.value.next_step


def test_nobody_there_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
    with pytest.raises(LinkError, match="No controller at"):
        connect(Address("tcp", host, port))
    with pytest.raises(LinkError, match="Cannot open"):
        connect(Address("serial", "/dev/no-such-port"))


def test_something_else_at_the_address_is_told_apart(credentials: Credentials) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        waiting = socket.create_connection((host, port))
        other, _ = listener.accept()
        waiting.close()
        other.close()
        place = Address("tcp", host, port)
        stream = connect(place)
        answering, _ = listener.accept()
        answering.sendall(b"SSH-2.0-OpenSSH_9.7 Debian-1\r\n")
        with pytest.raises(LinkError, match="not a controller"):
            knock(stream, credentials.identity())
        stream.close()
        answering.close()


@pytest.mark.parametrize(
    ("text", "kind", "place", "port"),
    [
        ("/dev/ttyUSB0", "serial", "/dev/ttyUSB0", 0),
        ("COM3", "serial", "COM3", 0),
        ("tcp://192.0.2.7", "tcp", "192.0.2.7", 7443),
        ("tcp://192.0.2.7:99", "tcp", "192.0.2.7", 99),
        ("tcp://[2001:db8::1]:99", "tcp", "2001:db8::1", 99),
        ("127.77.3.4:7443", "tcp", "127.77.3.4", 7443),
        ("[2001:db8::1]:99", "tcp", "2001:db8::1", 99),
        ("/dev/serial/by-path/usb-0:1", "serial", "/dev/serial/by-path/usb-0:1", 0),
    ],
)
def test_addresses(text: str, kind: str, place: str, port: int) -> None:
    assert parse(text) == Address(kind, place, port)


def test_a_virtual_board_of_another_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="This folder has no virtual board door-1") as caught:
        parse("sim+tcp://door-1", tmp_path)
    assert "in the folder that started it" in caught.value.next_step


@pytest.mark.parametrize("text", ["tcp://192.0.2.7", "192.0.2.7:99", "sim+tcp://door-1"])
def test_a_place_on_the_network(text: str) -> None:
    assert is_network(text)


@pytest.mark.parametrize(
    "text", ["192.0.2.7", "sim://door-1", "/dev/ttyUSB0", "COM3", "tcp://", "http://x", ""]
)
def test_what_is_no_place_on_the_network(text: str) -> None:
    assert not is_network(text)


@pytest.mark.parametrize(
    "text",
    ["tcp://", "tcp://host:notaport", "http://x", "sim://door-1", "h" * 120 + ":7443", "/" * 129],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(OperatorError):
        parse(text)
