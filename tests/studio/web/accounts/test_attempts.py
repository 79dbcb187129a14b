"""Guessing passwords: too slow to be of use, and nobody is kept out by somebody else's guesses."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from types import SimpleNamespace

import httpx
import pytest
from starlette.testclient import TestClient

from studio import limits
from studio.web.accounts import users
from studio.web.accounts.attempts import Attempts, network
from studio.web.accounts.turns import Busy, Turns
from studio.web.api import create_api

ANN, BOB = ({"name": name, "password": f"{name}'s own"} for name in ("ann", "bob"))
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """What is counted here is tries, not what each of them costs."""
    monkeypatch.setitem(users._COST, "n", 2)


@pytest.fixture
def house(browser, tmp_path):
    """house(): another browser at the address of all of them; ann and bob may log in."""
    (tmp_path / "people").write_text("ann:ann's own\nbob:bob's own\n")
    app = browser(users=tmp_path / "people").app

    def client(address: str = "testclient") -> TestClient:
        return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, client=(address, 1))

    return client


def guess(client: TestClient, name: str, times: int) -> list[int]:
    return [client.post("/login", data={"name": name, "password": f"no{i}"}).status_code for i in range(times)]


def tried(attempts: Attempts, now: list[float], seconds: float, addresses: int, step: float = 10.0) -> int:
    """How many guesses at one name are let through in that time."""
    made, end = 0, now[0] + seconds
    while now[0] < end:
        for address in range(addresses):
            if not attempts.wait("ann", f"10.0.0.{address}"):
                attempts.failed("ann", f"10.0.0.{address}")
                made += 1
        now[0] += step
    return made


def test_a_guesser_gets_some_hundred_tries_a_day():
    now = [0.0]
    assert limits.LOGIN_TRIES < tried(Attempts(lambda: now[0]), now, DAY, addresses=1, step=30) < 150


def test_many_guessers_together_get_one_try_a_minute():
    now = [0.0]
    made = tried(Attempts(lambda: now[0]), now, DAY, addresses=20, step=30)
    assert made <= limits.LOGIN_TRIES_PER_NAME + DAY / limits.LOGIN_WAIT_SECONDS + 1


def test_pauses_grow_and_are_forgotten_after_an_hour_of_quiet():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    pauses = []
    for _ in range(limits.LOGIN_TRIES + 6):
        pauses.append(attempts.wait("ann", "10.0.0.1"))
        now[0] += pauses[-1]
        attempts.failed("ann", "10.0.0.1")
    assert pauses == [0] * limits.LOGIN_TRIES + [60, 120, 240, 480, 900, 900]
    assert attempts.wait("bob", "10.0.0.1") == attempts.wait("ann", "10.0.0.2") == 0
    now[0] += limits.LOGIN_FORGET_SECONDS
    assert attempts.wait("ann", "10.0.0.1") == 0


def test_a_right_password_washes_no_wrong_ones_away():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(limits.LOGIN_TRIES - 1):
        attempts.failed("ann", "a")
    for _ in range(20):
        assert attempts.wait("ann", "a") == 0
        attempts.failed("ann", "a")
        attempts.passed("ann", "a")
    attempts.failed("ann", "a")
    assert attempts.wait("ann", "a") > 0


def test_records_that_count_no_more_are_dropped_and_others_never():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(limits.LOGIN_TRIES):
        attempts.failed("ann", "a")
    for i in range(12_000):
        attempts.failed(f"name{i}", "b")
    assert attempts.wait("ann", "a") > 0, "nobody makes room for guesses at ann by guesses at others"
    now[0] += limits.LOGIN_FORGET_SECONDS
    for i in range(25_000):
        attempts.failed(f"other{i}", "b")
    assert len(attempts._records) <= 2 * 25_000


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:10.0.0.1", "10.0.0.1"), ("odd", "odd")]
)
def test_one_household_is_one_address(one, other):
    assert network(one) == network(other)


@pytest.mark.parametrize(("one", "other"), [("2001:db8::1", "2001:db8:0:1::1"), ("10.0.0.1", "10.0.0.2")])
def test_two_households_are_two(one, other):
    assert network(one) != network(other)


# --- over HTTP ---


def test_guessing_is_slowed_down(house):
    client = house()
    assert guess(client, "ann", limits.LOGIN_TRIES) == [401] * limits.LOGIN_TRIES
    answer = client.post("/login", data=ANN)
    assert answer.status_code == 429
    assert "Wait" in answer.text
    assert 0 < int(answer.headers["retry-after"]) <= limits.LOGIN_WAIT_SECONDS + 1


def test_unknown_names_are_refused_as_known_ones_are(house):
    client = house()
    assert guess(client, "ann", 8) == guess(client, "nobody", 8)


def test_bob_gets_in_while_somebody_hammers_ann_from_his_address(house):
    guess(house(), "ann", 20)
    for i in range(40):  # and any other names
        guess(house(), f"name{i}", 1)
    assert house().post("/login", data=BOB).status_code == 303


def test_ann_gets_in_at_her_own_browser_while_others_hammer_her_name(house):
    home = house("10.0.0.1")
    assert home.post("/login", data=ANN).status_code == 303
    home.post("/logout")
    for address in range(2, 15):
        guess(house(f"10.0.0.{address}"), "ann", limits.LOGIN_TRIES)
    guess(house("10.0.0.1"), "ann", 20)
    assert house("10.0.0.99").post("/login", data=ANN).status_code == 429, "all guessers together have had enough"
    assert home.post("/login", data=ANN).status_code == 303


def test_a_known_browser_is_no_way_round_the_limit(house):
    home = house()
    home.post("/login", data=ANN)
    assert guess(home, "ann", limits.LOGIN_TRIES + 2)[-2:] == [429, 429]
    assert guess(home, "bob", limits.LOGIN_TRIES + 1)[-1] == 429, "known to ann is not known to bob"


def test_a_browser_of_bob_is_not_known_to_ann(house):
    guess(house(), "ann", limits.LOGIN_TRIES)
    bob = house()
    bob.post("/login", data=BOB)
    renamed = {f"{bob.app.state.studio.sessions._device_name('ann')}": value for name, value in bob.cookies.items()}
    thief = house()
    thief.cookies.update(renamed)
    assert thief.post("/login", data=ANN).status_code == 429


def test_who_knows_the_password_may_come_as_often_as_they_like(house):
    client = house()
    assert {client.post("/login", data=ANN).status_code for _ in range(2 * limits.LOGIN_TRIES)} == {303}
    strangers = [house() for _ in range(2 * limits.LOGIN_TRIES)]
    assert {one.post("/login", data=ANN).status_code for one in strangers} == {303}


def test_many_guesses_at_once_are_as_many_as_one_after_the_other(idle):
    app, guesses = create_api(idle(auth="ann:secret: 密")), 4 * limits.LOGIN_TRIES
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    compared, refused = [], threading.Event()
    app.state.studio.sessions.users = SimpleNamespace(
        accepts=lambda name, password: compared.append(password) or not refused.wait(60)
    )

    async def guess_once(client, begun, answers):
        async def body():
            await begun.wait()
            yield b"name=ann&password=x"

        answers.append((await client.post("/login", content=body(), headers=form)).status_code)
        if len(answers) == guesses - limits.LOGIN_TRIES:  # the others wait for a comparison, which now may end
            refused.set()

    async def main():
        transport, begun, answers = httpx.ASGITransport(app), asyncio.Barrier(guesses), []
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await asyncio.gather(*(guess_once(client, begun, answers) for _ in range(guesses)))
        return Counter(answers)

    assert asyncio.run(main()) == {401: limits.LOGIN_TRIES, 429: guesses - limits.LOGIN_TRIES}
    assert len(compared) == limits.LOGIN_TRIES


# --- turns ---


def test_few_work_at_once_and_addresses_take_turns():
    async def main():
        turns, at_work, most, order, gate = Turns(2), [], [], [], threading.Event()

        def work(who: str) -> None:
            at_work.append(who)
            most.append(len(at_work))
            gate.wait(60)
            order.append(who)
            at_work.remove(who)

        running = [asyncio.ensure_future(turns.run("flood", work, f"flood{i}")) for i in range(10)]
        await asyncio.sleep(0)
        running.append(asyncio.ensure_future(turns.run("bob", work, "bob")))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*running)
        turns.close()
        return most, order

    most, order = asyncio.run(main())
    assert max(most) <= 2
    assert order.index("bob") <= 5, "two at work, and one or two of the flood whose turn came before"


def test_a_flood_fills_no_line_for_others_and_is_told_to_come_again():
    async def main():
        turns, gate = Turns(1), threading.Event()
        flood = [
            asyncio.ensure_future(turns.run(f"flood{i % 8}", gate.wait, 60)) for i in range(4 * limits.LOGINS_WAITING)
        ]
        await asyncio.sleep(0)
        bob = asyncio.ensure_future(turns.run("bob", lambda: "in"))
        await asyncio.sleep(0)
        assert sum(map(len, turns._waiting.values())) <= limits.LOGINS_WAITING
        gate.set()
        ended = await asyncio.gather(*flood, return_exceptions=True)
        turns.close()
        return await bob, Counter(type(end) for end in ended)

    bob, ended = asyncio.run(main())
    assert bob == "in"
    assert ended[Busy] >= 3 * limits.LOGINS_WAITING - 1


def test_who_leaves_the_line_takes_no_turn():
    async def main():
        turns, gate = Turns(1), threading.Event()
        first = asyncio.ensure_future(turns.run("a", gate.wait, 60))
        await asyncio.sleep(0)
        gone = asyncio.ensure_future(turns.run("a", gate.wait, 60))
        await asyncio.sleep(0)
        gone.cancel()
        gate.set()
        await first
        assert await asyncio.wait_for(turns.run("b", lambda: "in"), 60) == "in"
        turns.close()
        return turns._free

    assert asyncio.run(main()) == 1
