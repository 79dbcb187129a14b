from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.worker import messages
from studio.worker.messages import FROM_WORKER, TO_WORKER, Cancel, Finished, decode, encode

PLAIN = {
    "str": st.text(max_size=50),
    "int": st.integers(0, 2**40),
    "bytes": st.binary(max_size=500),
    "float": st.floats(allow_nan=False),
    "str | None": st.none() | st.text(max_size=20),
    "dict": st.dictionaries(st.text(max_size=5), st.integers(0, 2**40) | st.text(max_size=5), max_size=3),
    "Mapping[str, Sequence]": st.dictionaries(st.text(max_size=5), st.lists(st.none() | st.floats(0, 9)), max_size=3),
    "list[str]": st.lists(st.text(max_size=9), max_size=3),
    "list[list]": st.lists(st.lists(st.text(max_size=3) | st.integers(0, 99), max_size=3), max_size=3),
}
KINDS = [*TO_WORKER.__args__, *FROM_WORKER.__args__]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_message_comes_back_as_it_was_sent(kind, data):
    message = kind(*(data.draw(PLAIN[field.type]) for field in fields(kind)))
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_anything_else_is_refused_with_a_value_error(data):
    try:
        decode(data)
    except ValueError:
        return
    pytest.fail("bytes from nowhere were taken for a message")


@pytest.mark.parametrize("wrong", [["Cancel"], ["Cancel", "a", "b"], ["os", "x"], [], {"a": 1}])
def test_wrong_names_and_field_counts_are_refused(wrong):
    with pytest.raises(ValueError, match="Not a message"):
        decode(messages.msgpack.packb(wrong))


def test_objects_do_not_travel():
    with pytest.raises(TypeError):
        encode(Cancel([object()]))


def test_bytes_are_not_copied_into_text():
    picture = bytes(range(256)) * 400
    assert len(encode(Finished("id", "image", "image/png", picture, {}))) < len(picture) + 100
