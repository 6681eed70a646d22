"""What the desk's own enums are called on its pages, Chinese first; the core's are in report/labels.py.

In: a member of an enum. Out: its name. The one decision: tables are looked up by type first, because two enums may have the same value («agent» is a
permission and a speaker).
"""

from collections.abc import Mapping
from enum import StrEnum

from phrasecheck.report import labels
from phrasecheck.report.labels import Pair
from phrasecheck.service.access import Scope
from phrasecheck.store.listing import Order
from phrasecheck.store.states import CallState, Permission, RejectReason, ReviewState, Verb

NAMES: Mapping[type[StrEnum], Mapping[str, Pair]] = {
    Permission: {
        Permission.ADMIN: ("系统管理员", "Administrator"),
        Permission.LEAD: ("质检主管", "QA lead"),
        Permission.INSPECTOR: ("质检员", "Inspector"),
        Permission.TRAINER: ("培训师", "Trainer"),
        Permission.SUPERVISOR: ("班组长", "Supervisor"),
        Permission.AGENT: ("坐席", "Agent"),
    },
    CallState: {
        CallState.UPLOADED: ("待提交", "Uploaded"),
        CallState.QUEUED: ("排队中", "Queued"),
        CallState.CHECKING: ("检查中", "Checking"),
        CallState.DONE: ("已完成", "Done"),
        CallState.FAILED: ("失败", "Failed"),
    },
    ReviewState: {
        ReviewState.NEW: ("待复核", "New"),
        ReviewState.CONFIRMED: ("已确认", "Confirmed"),
        ReviewState.REJECTED: ("已驳回", "Rejected"),
        ReviewState.APPEALED: ("申诉中", "Appealed"),
        ReviewState.UPHELD: ("申诉成立", "Appeal upheld"),
        ReviewState.DISMISSED: ("维持原判", "Appeal dismissed"),
    },
    Verb: {
        Verb.CONFIRM: ("确认", "Confirm"),
        Verb.REJECT: ("驳回", "Reject"),
        Verb.APPEAL: ("申诉", "Appeal"),
        Verb.UPHOLD: ("申诉成立", "Uphold appeal"),
        Verb.DISMISS: ("维持原判", "Dismiss appeal"),
    },
    RejectReason: {
        RejectReason.MISHEARD: ("听写错误", "Misheard"),
        RejectReason.SPEAKER: ("不是坐席说的", "Not the agent's words"),
        RejectReason.QUOTED: ("转述或照念", "Quoted or read out"),
        RejectReason.TONE: ("说了，但无冒犯", "Said, without offence"),
        RejectReason.OTHER: ("其他（见说明）", "Other (see comment)"),
    },
    Order: {
        Order.LATEST: ("最近在前", "Latest first"),
        Order.OLDEST: ("最早在前", "Oldest first"),
        Order.WORST: ("低分在前", "Lowest first"),
    },
    Scope: {
        Scope.READ: ("读取通话、结果和报告", "Read calls, results, reports"),
        Scope.UPLOAD: ("上传录音", "Upload recordings"),
        Scope.REVIEW: ("复核、白名单、词库、重新评判", "Review, allow-list, lexicon, rescoring"),
        Scope.LIVE: ("实时通话与提醒", "Live calls and alerts"),
        Scope.METRICS: ("读取运行指标", "Read metrics"),
    },
}

# What the audit trail's actions are called; one that is not here goes by its own name.
ACTIONS: Mapping[str, Pair] = {
    "user.create": ("开户", "Account opened"),
    "user.password": ("设置密码", "Password set"),
    "user.reinvite": ("重发链接", "New link"),
    "user.change": ("改权限或归属", "Account changed"),
    "user.close": ("停用账号", "Account closed"),
    "user.lock": ("账号锁定", "Account locked"),
    "token.issue": ("申请令牌", "Token issued"),
    "token.revoke": ("撤销令牌", "Token revoked"),
    "audit.verify": ("核对审计记录", "Trail verified"),
    "call.upload": ("上传录音", "Recording uploaded"),
    "call.listen": ("听录音", "Recording heard"),
    "call.release": ("提交检查", "Call released"),
    "call.run_again": ("重新检查", "Checked again"),
    "call.cancel": ("取消检查", "Check cancelled"),
    "call.metadata": ("补充资料", "Metadata added"),
    "call.rescore": ("重新评判", "Judged again"),
    "call.hold": ("封存", "Legal hold"),
    "call.unhold": ("解除封存", "Hold lifted"),
    "call.delete": ("删除通话", "Call deleted"),
    "hit.confirm": ("确认命中", "Hit confirmed"),
    "hit.reject": ("驳回命中", "Hit rejected"),
    "hit.appeal": ("申诉", "Appealed"),
    "hit.uphold": ("申诉成立", "Appeal upheld"),
    "hit.dismiss": ("维持原判", "Appeal dismissed"),
    "allowance.add": ("加入白名单", "Wording allowed"),
    "allowance.remove": ("移出白名单", "Allowance removed"),
    "list.export": ("导出列表", "List exported"),
    "lexicon.save": ("保存词库版本", "Lexicon version saved"),
    "lexicon.activate": ("启用词库版本", "Lexicon version put in force"),
    "rescore.begin": ("预览重新评判", "Rescoring previewed"),
    "rescore.apply": ("应用重新评判", "Rescoring applied"),
    "rescore.cancel": ("停止重新评判", "Rescoring stopped"),
    "webhook.add": ("添加回调", "Webhook added"),
    "webhook.end": ("停用回调", "Webhook ended"),
    "webhook.again": ("重发回调", "Webhook sent again"),
    "schedule.add": ("添加定期报告", "Schedule added"),
    "schedule.end": ("停用定期报告", "Schedule ended"),
}


def action(code: str) -> Pair:
    """Both names of an audit trail's action."""
    return ACTIONS.get(code, (code, code))


def pair(value: str) -> Pair:
    """Both names. Raises KeyError for what has none, so that a slip in a template shows in a test."""
    names = NAMES.get(type(value)) if isinstance(value, StrEnum) else None
    return labels.pair(value) if names is None else names[value]
