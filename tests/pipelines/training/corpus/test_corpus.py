"""Keys, the split, and what is left out."""

from pipelines.training.corpus.corpus import code, held_out, resolve, slug, wanted
from pipelines.training.corpus.icon_packages import PACKAGES
from pipelines.training.corpus.scenes import unseen


def test_the_split_never_moves():
    keys = [f"1f{i:03x}" for i in range(400)]
    kept = [k for k in keys if held_out(k, "3d")]
    assert kept[:4] == ["1f009", "1f016", "1f037", "1f045"]
    assert 0.02 < len(kept) / len(keys) < 0.08


def test_compositions_are_held_out_whatever_their_order():
    pairs = [(f"a{i}", f"b{i}") for i in range(400)]
    assert all(unseen("pair", [a, b]) == unseen("pair", [b, a]) for a, b in pairs)
    assert 0 < sum(unseen("pair", [a, b]) for a, b in pairs) < 60
    assert not unseen("count", ["a1", "a1"])


def test_code_points_and_slugs():
    assert code("2764-FE0F") == "2764"
    assert slug("woman’s hat") == "womans-hat"


def test_doubles_of_people_and_symbols_stay_out():
    base = {"subgroup": 25, "group": 1}
    assert wanted({"label": "cook", **base})
    assert not wanted({"label": "man cook", **base})
    assert not wanted({"label": "person walking: facing right", **base})
    assert not wanted({"label": "recycling symbol", "subgroup": 93, "group": 8})


def test_an_alias_leads_to_its_icon():
    table = {"icons": {"cat": {"body": "<g/>"}}, "aliases": {"kitty": {"parent": "cat"}}, "width": 32, "height": 32}
    assert 'viewBox="0 0 32 32"' in resolve(table, "kitty")
    assert resolve(table, "dog") is None


def test_every_package_is_pinned_and_free_to_use():
    for package in PACKAGES.values():
        assert len(package.sha256) == 64
        assert package.licence in {"MIT", "Apache-2.0", "CC-BY-4.0", "WordNet"}
        assert package.url.startswith("https://")
