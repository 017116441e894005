"""The kinds of news somebody may get, as `Preference.muted` and `gathered` name them."""

from django.utils.translation import gettext_lazy as _

KINDS = {
    "answer": _("有人回复了您"),
    "turn": _("轮到您了"),
    "proposal": _("有方案等您确认"),
    "outcome": _("事情有了结果"),
    "opportunity": _("有机会可以报名"),
    "case": _("有新的事项"),
    "mention": _("有人提到您"),
    "task": _("有任务给您"),
    "decision": _("有申请等您决定"),
    "approval": _("审阅回复"),
    "soon": _("快到时限"),
    "overdue": _("超过了时限"),
    "change": _("交接与变动"),
    "note": _("同事的回复与备注"),
    "line": _("业务线与授权"),
    "channel": _("通知送不出去"),
}
