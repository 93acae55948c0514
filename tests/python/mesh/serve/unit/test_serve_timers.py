"""Timers that share one of the event loop."""

import asyncio
import contextvars

from echo_model import until
from mesh.serve.timers import Timers


def test_timers_end_in_the_order_of_their_starts_unless_they_are_stopped() -> None:
    async def scenario() -> list[str]:
        ended: list[str] = []
        timers = Timers(0.01, ended.append)
        for owner in ("first", "stopped", "restarted", "last"):
            timers.start(owner)
        timers.stop("stopped")
        timers.stop("unknown")
        timers.start("restarted")
        await until(lambda: len(ended) == 3)
        timers.start("first")
        await until(lambda: len(ended) == 4)
        return ended

    assert asyncio.run(scenario()) == ["first", "last", "restarted", "first"]


def test_a_timer_that_is_started_later_ends_too() -> None:
    async def scenario() -> None:
        ended: list[str] = []
        timers = Timers(0.02, ended.append)
        timers.start("early")
        await asyncio.sleep(0.01)
        timers.start("late")
        await until(lambda: ended == ["early", "late"])

    asyncio.run(scenario())


def test_what_an_end_raises_keeps_no_other_timer_from_ending() -> None:
    async def scenario() -> None:
        ended: list[str] = []
        raised: list[object] = []

        def end(owner: str) -> None:
            if owner == "bad":
                raise RuntimeError(owner)
            ended.append(owner)

        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: raised.append(context["exception"])
        )
        timers = Timers(0.01, end)
        timers.start("bad")
        timers.start("good")
        await until(lambda: ended == ["good"])
        assert [str(each) for each in raised] == ["bad"]

    asyncio.run(scenario())


def test_an_end_may_start_a_timer() -> None:
    async def scenario() -> None:
        ended: list[str] = []

        def end(owner: str) -> None:
            ended.append(owner)
            if len(ended) < 3:
                timers.start(owner)

        timers = Timers(0.01, end)
        timers.start("again")
        await until(lambda: len(ended) == 3)

    asyncio.run(scenario())


def test_timers_go_on_in_another_event_loop() -> None:
    ended: list[str] = []
    timers = Timers(0.01, ended.append)

    async def start(owner: str) -> None:
        timers.start(owner)

    async def scenario() -> None:
        await start("second")
        await until(lambda: "second" in ended)

    asyncio.run(start("first"))
    asyncio.run(scenario())


def test_an_end_has_not_the_context_of_the_request_that_was_first() -> None:
    variable = contextvars.ContextVar[str]("variable", default="none")

    async def scenario() -> list[str]:
        seen: list[str] = []
        timers = Timers[str](0.01, lambda _: seen.append(variable.get()))
        variable.set("first")
        timers.start("owner")
        await until(lambda: bool(seen))
        return seen

    assert asyncio.run(scenario()) == ["none"]
