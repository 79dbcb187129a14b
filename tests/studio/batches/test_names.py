"""Names, sidecars, words: what people send is made fit for every file system, and no caption is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadUpload, InvalidRequest
from studio.batches.edits import Edit, tags
from studio.formats import sidecars


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../../etc/passwd.png", "etc/passwd.png"), ("/abs/a.png", "abs/a.png"), ("C:\\x\\a.png", "C_/x/a.png"),
     ("a\x00\n.png", "a__.png"), ("", "picture"), ("..", "picture"), ("😀/笑.png", "😀/笑.png"),
     ("a\u202egnp.exe", "a_gnp.exe"), ("\ud800.png", "_.png")],
)  # fmt: skip
def test_a_name_is_a_label_and_never_a_way_out(name, shown):
    assert sidecars.label(name) == shown


@given(st.lists(st.tuples(st.text(max_size=400), st.sampled_from(["png", "jpg"])), max_size=30))
def test_safe_names_are_safe_and_of_different_stems(names):
    safe = sidecars.safe_names(names)
    assert len(safe) == len(names)
    stems = [name.rpartition(".")[0].casefold() for name in safe]
    assert len(set(stems)) == len(stems)
    for name in safe:
        parts = name.split("/")
        assert not name.startswith("/")
        assert all(part not in ("", ".", "..") and len(part.encode()) <= 140 for part in parts)
        assert not set(name) & set('<>:"|?*\\\x00\n')
        name.encode("utf-8")


def test_two_pictures_of_one_stem_do_not_share_a_caption():
    assert sidecars.safe_names([("a.png", "png"), ("A.jpg", "jpg"), ("b/con.png", "png")]) == [
        "a.png", "A-2.jpg", "b/_con.png"]  # fmt: skip


def test_the_captions_of_other_programs_are_read():
    assert sidecars.decode("\ufeffein Hut".encode()) == "ein Hut"
    assert sidecars.decode("一只猫\n".encode("utf-16")) == "一只猫"
    assert sidecars.stem("d/a.txt") in sidecars.stems("d/a.png")
    assert sidecars.stem("d/a.png.txt") in sidecars.stems("d/a.png")
    for data in (b"\xff\xfa\x00caf\xe9", b"caf\xe9", b"a\x00b", b"x" * 100_000):
        with pytest.raises(BadUpload, match=r"\.$"):
            sidecars.decode(data)


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [({"action": "replace", "find": "emoji", "put": "face"}, "an Emoji, emojis", "an face, faces"),
     ({"action": "replace", "find": "emoji", "put": r"\1", "whole": True}, "emoji emojis", r"\1 emojis"),
     ({"action": "replace", "find": "E", "put": "", "case": True}, "Ee", "e"),
     ({"action": "add", "put": "cat"}, "a, b", "a, b, cat"),
     ({"action": "add", "put": "cat", "at": "begin"}, "", "cat"),
     ({"action": "add", "put": "cat"}, "Cat, b", "Cat, b"),
     ({"action": "remove", "find": "b"}, "a,  B ,c", "a, c"),
     ({"action": "remove", "find": "x"}, "a,  b", "a,  b")],
)  # fmt: skip
def test_the_same_change_to_every_caption(edit, before, after):
    assert Edit(**edit).change()(before) == after


@given(st.text(max_size=60), st.text(min_size=1, max_size=5))
def test_a_tag_that_is_added_is_there_and_can_be_removed(text, tag):
    if not tags(tag) or tags(tag) != [tag.strip()]:
        return
    added = Edit(action="add", put=tag).change()(text)
    assert tag.strip().casefold() in [one.casefold() for one in tags(added)]
    left = Edit(action="remove", find=tag).change()(added)
    assert tag.strip().casefold() not in [one.casefold() for one in tags(left)]


@pytest.mark.parametrize("edit", [{"action": "replace", "find": " "}, {"action": "add"}, {"action": "remove"}])
def test_a_change_of_nothing_is_refused(edit):
    with pytest.raises(InvalidRequest, match="a word or more"):
        Edit(**edit).change()
