"""The numbered rules of `docs/line-protocol.md`, each with a title for the report.

A test compares the numbers with the page, so a rule that is added there is missed here.
"""

from typing import Final

from guanjia.lines.protocol.messages import Texts

SECTION_OF: Final = "docs/line-protocol.md §{rule}"


def both(zh: str, en: str) -> Texts:
    """A text of the report in its two languages."""
    return {"zh-Hans": zh, "en": en}


TITLES: Final[dict[str, Texts]] = {
    "2.1": both(
        "正文与应答是 UTF-8 的 JSON 对象；不是的请求得 400 malformed",
        "Bodies and answers are JSON objects in UTF-8; a request that is not gets 400 malformed",
    ),
    "2.2": both(
        "正文与应答不超过 256 KiB，不重定向",
        "Bodies and answers are at most 256 KiB, without redirects",
    ),
    "2.3": both("金额是最小单位的整数", "Money is an integer of minor units"),
    "2.4": both("时刻是带 Z 的 UTC 时间", "Instants are RFC 3339 in UTC with Z"),
    "2.5": both("给人看的文字有中英两种", "Texts for people have zh-Hans and en"),
    "2.6": both(
        "错误是带 code 的 application/problem+json", "Errors are application/problem+json with a code"
    ),
    "2.7": both("请求里不认识的成员被忽略", "Unknown members of a request are ignored"),
    "3.1": both("回调按标准签名", "Webhooks are signed as the standard says"),
    "3.2": both("请求的签名包含方法和路径", "A request's signature covers method and path"),
    "3.3": both(
        "签名缺失、不符或过期得 401，且没有效果",
        "A missing, wrong or stale signature is 401 and has no effect",
    ),
    "3.4": both("清单不需要签名", "The manifest needs no signature"),
    "4.1": both("清单完整可读", "The manifest is complete and can be read"),
    "4.1.1": both(
        "参数模式是对象的 JSON Schema 2020-12，不引用远端",
        "The schema is JSON Schema 2020-12 of an object, without remote references",
    ),
    "4.1.2": both("标价是金额或 null", "The list price is money or null"),
    "4.1.3": both("裁定规则与预留的状态相符", "The decision rule and the state of holds agree"),
    "4.2.1": both("拒绝是 200 的应答，不是错误", "A refusal is a 200 answer, not an error"),
    "4.2.2": both(
        "预留有到期时刻，待裁定的还有裁定期限",
        "A reservation has an expiry, and a pending one a time by which it is decided",
    ),
    "4.2.3": both(
        "不合模式的参数得 422 并指明字段，不预留",
        "Parameters that break the schema are 422 with the field's name; nothing is reserved",
    ),
    "4.2.4": both("未知服务得 404", "An unknown service is 404"),
    "4.2.5": both("编号与时长的写法被检查", "Ids and times to live are checked"),
    "4.3.1": both("重复的预留只有一次效果", "A duplicate hold has one effect"),
    "4.3.2": both("同一编号换了内容得 422", "The same id with other content is 422"),
    "4.3.3": both("重复的确认和释放没有第二次效果", "Duplicate confirms and releases have one effect"),
    "4.4.1": both("已预留的可以确认", "A held hold can be confirmed"),
    "4.4.2": both("待裁定的不能确认", "A pending hold cannot be confirmed"),
    "4.4.3": both("确认未知的预留得 404", "Confirm of an unknown hold is 404"),
    "4.4.4": both(
        "已释放、被拒绝、已失效的不能确认",
        "A released, refused or lapsed hold cannot be confirmed",
    ),
    "4.5.1": both(
        "已预留、待裁定、已失效的可以释放，名额归还",
        "A held, pending or lapsed hold can be released, and its capacity is free again",
    ),
    "4.5.2": both("空释放：未知的预留也能释放", "Empty release: an unknown hold is released too"),
    "4.5.3": both(
        "防悬挂：释放之后到达的预留被拒绝",
        "Anti-hanging: a hold that arrives after its release is refused",
    ),
    "4.5.4": both("已确认的不能释放", "A confirmed hold cannot be released"),
    "4.5.5": both("被拒绝的可以释放", "A refused hold can be released"),
    "4.6.1": both("续期从不使到期提前", "A renewal never brings the expiry forward"),
    "4.6.2": both(
        "已失效、已释放、被拒绝、未知的不能续期，已确认的不变",
        "A lapsed, released, refused or unknown hold is not renewed; a confirmed one is unchanged",
    ),
    "4.7.1": both("到期即失效，名额归还", "A hold lapses at its expiry, and its capacity is free"),
    "4.8.1": both("查看如实且不改变什么", "A look tells the truth and changes nothing"),
    "5.1": both("裁定以回调告知", "A decision is posted to the callback"),
    "5.2": both("回调重试直到收到 2xx", "A callback is retried until it gets a 2xx"),
    "5.3": both("管家也会轮询", "Guanjia polls as well"),
    "5.4": both("默示同意之后不能再裁定", "After silence that consents nobody can decide"),
    "6.1": both(
        "栅栏记录与业务写在同一个本地事务里",
        "The fence record is written in the transaction of the effect",
    ),
    "6.2": both("释放的记录至少保留 30 天", "Tombstones are kept for at least 30 days"),
}

_NEEDS_A_PERSON = both(
    "要由业务线的人裁定一次才能看到",
    "only seen when a person of the line decides",
)

UNSEEN: Final[dict[str, Texts]] = {
    "3.1": _NEEDS_A_PERSON,
    "5.1": _NEEDS_A_PERSON,
    "5.2": _NEEDS_A_PERSON,
    "5.3": both("是管家的事，不是业务线的事", "is Guanjia's part, not the line's"),
    "5.4": _NEEDS_A_PERSON,
    "6.1": both(
        "从外面看不到；用 SDK 写的业务线自动满足",
        "not visible from outside; lines written with the SDK have it",
    ),
    "6.2": both("要等 30 天才能看到", "would take 30 days to see"),
}
"""Rules that no caller can try, and why."""


def order(rule: str) -> tuple[int, ...]:
    """Sort key: 4.2 before 4.10."""
    return tuple(map(int, rule.split(".")))
