# SPDX-License-Identifier: MIT
"""The probed coroutine function."""
import asyncio


async def work(n):
    await asyncio.sleep(0.001)
    if n < 0:
        raise ValueError(n)
    return n
