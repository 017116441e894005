"""Ports that are kept, and still can be listened on."""

import socket

import pytest

from guanjia.base import ports as module
from guanjia.base.ports import HOST, PORTS, NoPortError, Reserved, choose_port, port_is_free


def test_who_calls_a_reserved_port_is_refused(ports):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, ports.port()), timeout=1)


def test_a_server_may_listen_on_a_reserved_port_go_and_come_back(ports):
    port = ports.port()
    for _ in range(2):
        assert port_is_free(port)
        with socket.create_server((HOST, port)):
            assert not port_is_free(port)
            caller = socket.create_connection((HOST, port), timeout=1)
        caller.close()


def test_nobody_else_is_given_a_reserved_port(ports, monkeypatch):
    port = ports.port()
    monkeypatch.setattr(module, "PORTS", range(port, port + 1))
    monkeypatch.setattr(module, "TRIES", 1)
    with Reserved() as others, pytest.raises(NoPortError, match="all in use"):
        others.port()
    with pytest.raises(NoPortError):
        choose_port()
    ports.close()
    assert choose_port() == port


def test_a_row_is_reserved_whole_or_not_at_all(ports, monkeypatch):
    first = ports.port(row=3)
    monkeypatch.setattr(module, "PORTS", range(first + 2, first + 3))
    monkeypatch.setattr(module, "TRIES", 1)
    with Reserved() as others, pytest.raises(NoPortError):
        others.port(row=2)
    monkeypatch.setattr(module, "PORTS", PORTS)
    with Reserved() as others:
        assert set(range(first, first + 3)).isdisjoint({others.port() for _ in range(50)})
