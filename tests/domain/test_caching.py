"""The cache in bytes: bounded as a whole, and by owner."""

from app.domain.caching import WeighedCache


def test_it_holds_so_many_bytes_and_keeps_what_was_used_last() -> None:
    """The oldest goes; what was asked for is the newest."""
    cache: WeighedCache[int, str] = WeighedCache(100)
    for number in range(4):
        cache.put(number, str(number), 25)
    assert cache.get(0) == "0"
    cache.put(4, "4", 25)
    assert [cache.get(number) for number in range(5)] == ["0", None, "2", "3", "4"]
    assert cache.weight == 100


def test_an_owner_puts_out_their_own() -> None:
    """However much one puts in: a quarter is theirs, and the others' stays."""
    cache: WeighedCache[tuple[str, int], int] = WeighedCache(400)
    for number in range(5):
        cache.put(("good", number), number, 20, owner="good")
    for number in range(1_000):
        cache.put(("bad", number), number, 20, owner="bad")
    assert all(cache.get(("good", number)) == number for number in range(5))
    assert [number for number in range(1_000) if cache.get(("bad", number)) is not None] == [*range(995, 1_000)]
    assert cache.weight == 200


def test_of_an_owners_own_the_oldest_goes() -> None:
    """What the owner asked for last stays, as in the cache as a whole."""
    cache: WeighedCache[int, int] = WeighedCache(400)
    for number in range(5):
        cache.put(number, number, 20, owner="one")
    assert cache.get(0) == 0
    cache.put(5, 5, 20, owner="one")
    assert [cache.get(number) is not None for number in range(6)] == [True, False, True, True, True, True]


def test_what_is_larger_than_a_share_is_not_kept() -> None:
    """Nor does it push anything out; putting it again in a smaller form does keep it."""
    cache: WeighedCache[str, str] = WeighedCache(100)
    cache.put("small", "x", 10)
    cache.put("large", "x", 26)
    assert (cache.get("large"), cache.get("small"), len(cache)) == (None, "x", 1)
    cache.put("large", "y", 5)
    cache.put("large", "z", 6)
    assert (cache.get("large"), cache.weight) == ("z", 16)
