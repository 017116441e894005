"""What the house itself says on a case, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.base.moments import moment
from guanjia.base.texts import pick
from guanjia.cases.models import Message

WORDS: Mapping[str, str] = {
    "package_done": n_("一揽子 %(package)s 已全部生效。"),
    "package_done_partly": n_("一揽子 %(package)s 已生效 %(confirmed)s 项，未办成 %(failed)s 项。"),
    "package_released": n_("一揽子 %(package)s 没有办成，已全部撤回，没有留下任何占用。"),
    "acceptance_needed": n_("一揽子 %(package)s 的价格等您确认。"),
    "decision_needed": n_("“%(line)s”正在人工答复，最迟 %(due)s。"),
    "decision_overdue": n_("“%(line)s”到点没有答复，已升级给其负责人。"),
    "silence_consented": n_("“%(line)s”逾期未答复，按授权视为同意。"),
    "silence_refused": n_("“%(line)s”逾期未答复，按规则视为拒绝。"),
    "item_refused": n_("“%(line)s”没有同意：%(reason)s"),
    "case_solved": n_("这件事已办结；商家回一句话就会重新打开。"),
    "case_reopened": n_("这件事重新打开了，时钟重新开始。"),
    "wait_begun": n_("等商家答复，最迟 %(due)s。"),
    "merged_into": n_("这件事并入了 %(other)s，在那里接着办；在这里说过的话都还在。"),
    "took_in": n_("%(other)s 并入了这件事；在那里说过的话也显示在这里。"),
    "merge_undone": n_("与 %(other)s 的合并撤销了，两件各自接着办。"),
    "split_from": n_("这件事从 %(other)s 拆出，时钟重新开始；带来的话照原样显示在这里。"),
    "split_off": n_("有一部分拆成了新的一件：%(other)s。"),
    "follows": n_("%(other)s 已经结束，所以这句话成了新的一件，两件连在一起。"),
    "led_on": n_("这件事已经结束；之后说的话成了新的一件：%(other)s。"),
    "routine_word": n_("%(text)s"),
    "part_of_major": n_("同一个原因影响了多家商家，由服务体系统一处理；有进展会在这里告诉您。"),
    "case_handed_over": n_("这件事现在由%(who)s负责。"),
    "promised": n_("约定：%(text)s，最迟 %(due)s。"),
    "promise_taken_back": n_("之前的约定取消了：%(text)s。"),
    "mail_files_refused": n_("邮件里的这些文件没有收下：%(names)s。太大，或是不收的类型；请换个方式发来。"),
    "mail_cut": n_("这封邮件太大，只收下了开头的文字，文件没有收下；请分几次发来。"),
    "mail_away": n_("%(who)s的邮箱自动回复：暂时不在。"),
    "mail_returned": n_("写给%(who)s的邮件被退回，没有送到；请用别的方式联系，并核对邮箱。"),
    "mail_delayed": n_("写给%(who)s的邮件还没有送到，对方的邮件服务器仍在重试。"),
    "needs_hand": n_("“%(line)s”的一项需要专人处理，已指定负责人。"),
}


def both_names(author: str, absent: str | None) -> str:
    """Who has said it; where they stood in for somebody, with that name too."""
    return _("%(author)s（替%(absent)s）") % {"author": author, "absent": absent} if absent else author


def words_of(message: Message) -> str:
    """The text of a message: its author's words, or the house's in the reader's language."""
    if message.notice is None:
        return message.body
    return say(message.notice)


def say(notice: Mapping[str, Any]) -> str:
    values = {name: _readable(name, value) for name, value in notice["values"].items()}
    return _(WORDS[notice["kind"]]) % values


def _readable(name: str, value: Any) -> Any:
    """Texts in the reader's language, instants in the marketplace's time."""
    if isinstance(value, Mapping):
        return pick(value)
    return moment(datetime.fromisoformat(value)) if name == "due" and value else value
