"""Chinese prompts cut into tokens: no spaces, so at every place the longest that is known."""

from __future__ import annotations

import re

from pipelines.scene_reader import tokens
from pipelines.scene_reader.scene import ABOVE, BESIDE, BETWEEN, LEFT, ON
from pipelines.scene_reader.tokens import Token
from pipelines.scene_reader.vocabulary import Vocabulary

COLOURS = {
    "红": "red", "橙": "orange", "橘": "orange", "黄": "yellow", "绿": "green", "蓝": "blue", "紫": "purple",
    "粉": "pink", "粉红": "pink", "灰": "grey", "黑": "black", "白": "white", "棕": "brown",
}  # fmt: skip
DIGITS = {d: n for n, d in enumerate("一二三四五六七八九十", 1)} | {"两": 2, "几": 3}
MEASURES = "个只条朵辆匹头本张颗座把艘架杯碗块片棵件双台部位名支根粒串间幢栋盏扇顶枚束对"
NUMBER = re.compile(rf"([{''.join(DIGITS)}]|\d{{1,3}})[{MEASURES}]")
COLOUR = re.compile(rf"({'|'.join(sorted(COLOURS, key=len, reverse=True))})(?:色的|色|的)")
BACKED = re.compile(rf"(?:在)?({'|'.join(sorted(COLOURS, key=len, reverse=True))})色?的?背景")
POSTFIX = {
    "左边": (LEFT, False), "左侧": (LEFT, False), "左面": (LEFT, False),
    "右边": (LEFT, True), "右侧": (LEFT, True), "右面": (LEFT, True),
    "上方": (ABOVE, False), "下方": (ABOVE, True), "下面": (ABOVE, True), "底下": (ABOVE, True),
    "上面": (ON, False), "上": (ON, False), "旁边": (BESIDE, False), "附近": (BESIDE, False),
    "之间": (BETWEEN, False), "中间": (BETWEEN, False),
}  # fmt: skip
PHRASES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("夜空", "夜晚", "晚上", "夜里", "在夜空中", "星空下"), (tokens.BACKGROUND, "night")),
    **dict.fromkeys(("草地上", "草地", "在草地上", "草坪上"), (tokens.BACKGROUND, "grass")),
    **dict.fromkeys(("3d风格", "3d", "立体风格", "立体"), (tokens.STYLE, "3d")),
    **dict.fromkeys(("扁平化风格", "扁平风格", "扁平化", "扁平"), (tokens.STYLE, "flat")),
    **dict.fromkeys(("卡通风格", "卡通"), (tokens.STYLE, "cartoon")),
    **dict.fromkeys(("光泽风格", "光泽"), (tokens.STYLE, "glossy")),
    **dict.fromkeys(("简约风格", "简约"), (tokens.STYLE, "simple")),
    **dict.fromkeys(("剪贴画风格", "剪贴画"), (tokens.STYLE, "clip art")),
    **dict.fromkeys(("大", "巨大的", "大大的", "很大的"), (tokens.SIZE, "big")),
    **dict.fromkeys(("小", "小小的", "很小的"), (tokens.SIZE, "small")),
    **dict.fromkeys(("和", "与", "跟", "还有"), (tokens.AND, "")),
    **dict.fromkeys(("，", "。", "、", "！", "？", "；", "："), (tokens.STOP, "")),
    **dict.fromkeys(("在",), (tokens.MARK, "")),
    **dict.fromkeys(
        ("的", "画", "请", "一", "我", "我想要", "想要", "要", "幅", "张", "图", "图片", "照片", "可爱", "漂亮", "美丽",
         "给我", "有", "里", "风格", "背景", "是", "了", "着"), (tokens.FILLER, "")
    ),
}  # fmt: skip
LONGEST = max(map(len, PHRASES))


def cut(text: str, vocabulary: Vocabulary) -> list[Token]:
    """The tokens of a Chinese text."""
    found, place, text = [], 0, text.lower()
    while place < len(text):
        token, length = one(text[place:], vocabulary)
        found.append(token)
        place += length
    return found


def one(text: str, vocabulary: Vocabulary) -> tuple[Token, int]:
    """The first token and its length: the longest that is known, a thing's name where two are alike."""
    found = [pair for pair in (described(text), phrase(text)) if pair]
    if named := vocabulary.chinese(text):
        thing = Token(tokens.THING, text[: named.length], named.name, sure=named.sure), named.length
        found = [thing, *found] if named.sure else found or [thing]
    if not found:
        return Token(tokens.UNKNOWN, text[0]), 1
    return max(found, key=lambda pair: pair[1])


def described(text: str) -> tuple[Token, int] | None:
    """A background, a number with its measure word, or a colour."""
    if hit := BACKED.match(text):
        return Token(tokens.BACKGROUND, hit[0], COLOURS[hit[1]]), len(hit[0])
    if hit := NUMBER.match(text):
        number = DIGITS.get(hit[1]) or int(hit[1])
        return (Token(tokens.NUMBER, hit[0], str(number)), len(hit[0])) if number else None
    if hit := COLOUR.match(text):
        return Token(tokens.COLOUR, hit[0], COLOURS[hit[1]]), len(hit[0])
    return None


def phrase(text: str) -> tuple[Token, int] | None:
    """The longest phrase that is no thing; a place word may have 的 before it."""
    skipped = int(text.startswith("的"))
    for length in (3, 2, 1):
        if (said := text[skipped : skipped + length]) in POSTFIX:
            kind, swapped = POSTFIX[said]
            return Token(tokens.POSTFIX, said, kind, swapped), skipped + len(said)
    for length in range(min(LONGEST, len(text)), 0, -1):
        if text[:length] in PHRASES:
            kind, value = PHRASES[text[:length]]
            return Token(kind, text[:length], value), length
    return None
