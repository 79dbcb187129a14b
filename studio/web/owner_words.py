"""What the page about one's own gallery says, in both languages."""

from __future__ import annotations

import re

from pipelines.errors import TriptychError
from studio.web.routes import owner

GONE = "This code opens nothing: it was mistyped, used already, or is too old. Ask for a new one."

WORDS = {
    "en": {
        "title": "Your gallery",
        "home": "Back to the studio",
        "as": "Logged in as {name}",
        "pictures": "{n} pictures",
        "recordings": "{n} recordings",
        "captions": "{n} captions",
        "batches": "{n} batches",
        "comma": ", ",
        "size": " · {used} of {most}",
        "empty": "Nothing is kept yet.",
        "open": "Open it in another browser",
        "open_why": "This browser's cookie is the only key to your gallery. A code is a second one, for your phone or "
        "another browser; both then show the same gallery.",
        "show": "Show a code",
        "works": "Type this code on the page /owner of the other browser, or open the link there. It works once, for "
        "15 minutes. Whoever has it has your gallery.",
        "back": "What this browser kept before stayed behind. This code, good once and for 15 minutes, opens it in "
        "another browser.",
        "here": "Bring a gallery here",
        "here_open": "Type the code that the other browser shows.",
        "here_login": "With a code, a gallery from before there were logins becomes yours.",
        "label": "Code",
        "bring": "This browser keeps something itself:",
        "bring_yes": "it comes along",
        "bring_no": "it stays behind",
        "go": "Open",
        "before_is": "This browser keeps something from before there were logins:",
        "claim": "Make it mine",
        "taken": "Done: this is the gallery now.",
        "logout": "Log out",
        "everywhere": "Log out everywhere",
    },
    "zh-CN": {
        "title": "我的图库",
        "home": "返回工作室",
        "as": "已登录：{name}",
        "pictures": "{n} 张图片",
        "recordings": "{n} 段录音",
        "captions": "{n} 条描述",
        "batches": "{n} 个批次",
        "comma": "，",
        "size": " · 已用 {used}，共 {most}",
        "empty": "还没有保存任何内容。",
        "open": "在另一个浏览器中打开",
        "open_why": "这个浏览器的 cookie 是你图库的唯一钥匙。代码是第二把钥匙，可用于手机或其他浏览器；"
        "之后两边显示同一个图库。",
        "show": "显示代码",
        "works": "在另一个浏览器的 /owner 页面输入此代码，或在那里打开链接。代码只能用一次，15 分钟内有效。"
        "谁有代码，谁就能打开你的图库。",
        "back": "这个浏览器原来的内容没有带过来。用此代码可在另一个浏览器中打开它，只能用一次，15 分钟内有效。",
        "here": "把图库带到这里",
        "here_open": "输入另一个浏览器显示的代码。",
        "here_login": "用代码可以把启用登录之前的图库归到你名下。",
        "label": "代码",
        "bring": "这个浏览器本身也有内容：",
        "bring_yes": "一起带上",
        "bring_no": "留下不带",
        "go": "打开",
        "before_is": "这个浏览器中有启用登录之前的内容：",
        "claim": "归到我名下",
        "taken": "完成：现在就是这个图库。",
        "logout": "退出登录",
        "everywhere": "在所有设备上退出",
    },
}
_CHINESE = {
    owner.LOGIN: "启用登录后无需转移：在另一个浏览器中用你的名字登录即可。",
    owner.BUSY: "这个浏览器的内容还在处理中：请等待任务和批次完成，或先取消它们。",
    owner.BRING: "这个浏览器本身也有内容：请选择一起带上还是留下。",
    owner.OWN: "这个浏览器已经是该图库。",
    owner.NOTHING: "这个浏览器没有启用登录之前的内容。",
    GONE: "此代码无效：可能输错、已被使用或已过期。请重新获取一个。",
}
_CHOOSE = "This browser keeps something itself: choose whether it comes along or stays behind."


def told(error: TriptychError, language: str) -> str:
    """A refusal in the reader's language; programs read it in English, with the fields to send."""
    said = str(error)
    if language == "en":
        return _CHOOSE if said == owner.BRING else said
    if wait := re.fullmatch(r"Too many codes were tried\. Try again in (\d+) seconds\.", said):
        return f"尝试的代码过多，请在 {wait[1]} 秒后再试。"
    return _CHINESE.get(said, said)
