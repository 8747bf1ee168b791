"""What many want at once is asked for in one go, and each gets its own answer."""

from __future__ import annotations

import asyncio

from federation.together import Together


class Asked:
    """Doubles numbers, one question at a time, and remembers the questions."""

    def __init__(self) -> None:
        self.questions: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, numbers: list[int]) -> list[int]:
        self.questions.append(numbers)
        await self.go.wait()
        if 13 in numbers:
            raise ValueError("thirteen")
        return [2 * number for number in numbers]


async def test_what_is_wanted_while_a_question_is_answered_makes_the_next_one() -> None:
    asked = Asked()
    together = Together[int, int](asked)

    first = [asyncio.create_task(together(number)) for number in (1, 2)]
    await asyncio.sleep(0.01)
    second = [asyncio.create_task(together(number)) for number in (3, 4, 5)]
    await asyncio.sleep(0.01)
    asked.go.set()

    assert await asyncio.gather(*first, *second) == [2, 4, 6, 8, 10]
    assert asked.questions == [[1, 2], [3, 4, 5]]


async def test_a_question_that_fails_fails_for_those_who_asked_it_alone() -> None:
    asked = Asked()
    together = Together[int, int](asked)

    unlucky = [asyncio.create_task(together(number)) for number in (13, 1)]
    await asyncio.sleep(0.01)
    others = asyncio.create_task(together(2))
    asked.go.set()

    assert [type(one) for one in await asyncio.gather(*unlucky, return_exceptions=True)] == [ValueError, ValueError]
    assert await others == 4


async def test_whoever_waits_no_more_is_not_asked_for_and_holds_up_nobody() -> None:
    asked = Asked()
    together = Together[int, int](asked)

    gone_meanwhile, other = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0.01)
    gone_before, last = asyncio.create_task(together(3)), asyncio.create_task(together(4))
    await asyncio.sleep(0.01)
    gone_meanwhile.cancel()
    gone_before.cancel()
    await asyncio.sleep(0)
    asked.go.set()

    assert [await other, await last] == [4, 8]
    assert asked.questions == [[1, 2], [4]]


async def test_it_lingers_for_others_as_long_as_it_is_told_to() -> None:
    asked = Asked()
    asked.go.set()
    together = Together[int, int](asked, lambda waiting: 0.05 if waiting < 2 else 0)

    first = asyncio.create_task(together(1))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(together(2))

    assert [await first, await second] == [2, 4]
    assert asked.questions == [[1, 2]]
