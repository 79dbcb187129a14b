"""A chapter of our own: as long as one in a book, with sentences of every length, names, years, numbers, questions."""

from __future__ import annotations

from itertools import cycle, islice

_SCENES = (
    "The ferry left the pier at a quarter past {n}, when the lamps on the water were still burning.",
    "{who} stood at the rail and counted the windows of the town.",
    "There were fewer every year.",
    "Behind her a boy asked his grandfather why the gulls never slept, and the old man, who had mended nets for "
    "{n} winters, said that somebody had to remember the way home.",
    "Nobody laughed.",
    "At the third buoy the engine stopped, and for a moment there was nothing but the wind!",
    "Was this the place?",
    "She took the small tin box out of her coat, opened it, and let the letters go, one by one.",
    "In the spring of {year} the harbour had been full of timber, and {who} had walked across it from ship to ship.",
    "Now the cranes were sold.",
    "“You should have come earlier,” said {who}, and poured the tea without looking up.",
    "Rain ran down the glass in long crooked lines; behind it the lighthouse went on counting to {n}.",
    "What would a stranger have seen in that kitchen?",
    "Two chairs, a table with a burnt corner, a calendar from {year} that nobody had dared to turn.",
    "The parcel was tied with blue string.",
    "It weighed less than {who} remembered, although it held {n} photographs, a brass key and half a map.",
    "Every street on it had been drawn twice, once in ink and once in pencil, as if the town had moved in its sleep.",
    "They walked up to the chapel without a word.",
    "Snow lay on the north side of the graves, thin as paper, and on one of them somebody had left a warm loaf of "
    "bread, wrapped in a cloth, for the birds or for the dead.",
    "“Listen,” whispered {who}.",
    "Far out, where the sea was only a darker kind of sky, a horn answered.",
    "It was {n} minutes to midnight!",
)
_PEOPLE = ("Anna", "Mister Lindqvist", "old Tomas", "Clara", "the pilot", "Ines", "her brother")
_SENTENCES = 7  # in a paragraph


def chapter(characters: int) -> tuple[str, int]:
    """A text at least so long, and how many sentences it has."""
    people, numbers, years = cycle(_PEOPLE), cycle(range(3, 61, 4)), cycle(range(1884, 1990, 9))
    scenes, paragraphs, length = cycle(_SCENES), [], 0
    while length < characters:
        said = [s.format(who=next(people), n=next(numbers), year=next(years)) for s in islice(scenes, _SENTENCES)]
        said = [sentence[0].upper() + sentence[1:] for sentence in said]
        paragraphs.append(" ".join(said))
        length += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs), _SENTENCES * len(paragraphs)
