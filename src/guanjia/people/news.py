"""The kinds of news somebody may get by mail, as `Preference.muted` names them."""

from django.utils.translation import gettext_lazy as _

KINDS = {
    "answer": _("有人回复了您"),
    "proposal": _("有方案等您确认"),
    "outcome": _("事情有了结果"),
    "overdue": _("超过了时限"),
    "opportunity": _("有机会可以报名"),
}
