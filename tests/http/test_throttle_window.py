"""The failures of a whole source are counted by the day: a network of many people is not shut out by their old slips."""

import world as worlds

SOURCE = "203.0.113.77"


def fail(world, times):
    """So many wrong passwords from one source, each at another account; the statuses."""
    api = world.api()
    return [api.login(f"stranger-{world.offset_s}-{number}@example.com", "not the password", ip=SOURCE).status_code
            for number in range(times)]


def test_slips_of_yesterday_do_not_add_up_with_those_of_today(cluster):
    world = worlds.World(cluster, "window", {("realm store", "throttle_source_limit"): 6})
    try:
        world.start()
        assert fail(world, 4) == [403] * 4
        world.advance(20 * 3600)
        assert fail(world, 1) == [403]
        world.advance(5 * 3600)         # a day after the first, and never a day without one
        assert fail(world, 5) == [403] * 5
        assert fail(world, 2) == [403, 429], "the sixth of one day begins the delay"
    finally:
        world.stop()
