"""What goes wrong is kept where whoever runs the house finds it."""

import logging


def test_a_fault_of_a_page_is_logged_with_its_traceback(db, client, monkeypatch, caplog):
    monkeypatch.setattr("guanjia.doors.front.views.open_lines", lambda: 1 / 0)
    client.raise_request_exception = False
    assert client.get("/").status_code == 500
    [kept] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert kept.exc_info[0] is ZeroDivisionError
    assert any(isinstance(handler, logging.StreamHandler) for handler in logging.getLogger().handlers)


def test_an_address_that_nobody_has_is_no_fault(db, client, caplog):
    assert client.get("/nowhere").status_code == 404
    assert caplog.records == []
