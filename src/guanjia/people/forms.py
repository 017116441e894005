"""What the account's forms may hold."""

from __future__ import annotations

from datetime import time

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, FieldError

LABEL_MOST = 80


def quiet_hours_of(start: str, end: str) -> tuple[time, time] | None:
    """Both ends, as `22:00`; None when both are empty. Raises BadInput for anything else."""
    if not start and not end:
        return None
    wrong = [
        FieldError(f"/{name}", label, _("请填写时间，例如 22:00；不需要安静时段就两个都留空。"))
        for name, label, text in (("quiet_from", _("从"), start), ("quiet_until", _("到"), end))
        if _time(text) is None
    ]
    first, last = _time(start), _time(end)
    if first is None or last is None:
        raise BadInput(_("安静时段没有填完整。"), errors=wrong)
    return first, last


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def label_of(text: str) -> str:
    """What a token is for. Raises BadInput."""
    label = text.strip()
    if not 1 <= len(label) <= LABEL_MOST:
        wrong = FieldError("/label", _("用途"), _("请写明用途，最多 80 字。"))
        raise BadInput(_("没有发出令牌。"), errors=[wrong])
    return label
