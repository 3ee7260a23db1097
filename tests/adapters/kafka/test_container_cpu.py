"""What a container may take of the CPU, read from control groups as Linux shows them."""

from pathlib import Path

import pytest

from app.adapters.kafka.container_cpu import ContainerCpu


class Groups:
    """A tree of groups in a folder, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "cgroup"
        self.mine = folder / "mine"
        self.now = 10.0
        self.root.mkdir()

    def group(self, below: str, limit: str | None, used_us: int = 0) -> None:
        """Make a group, or change it; one without a limit's file is the outermost of a machine."""
        folder = self.root / below
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.stat").write_text(f"usage_usec {used_us}\nuser_usec 1\n")
        if limit is not None:
            (folder / "cpu.max").write_text(f"{limit}\n")

    def read(self, mine: str = "0::/\n") -> ContainerCpu:
        """Return what reads them."""
        self.mine.write_text(mine)
        return ContainerCpu(self.root, self.mine, lambda: self.now)


@pytest.fixture
def groups(tmp_path: Path) -> Groups:
    """A tree with nothing in it."""
    return Groups(tmp_path)


def test_a_containers_limit_and_use_are_read(groups: Groups) -> None:
    """Half a core for ten seconds is five, of which two have been used."""
    groups.group("", "50000 100000", 2_000_000)
    assert groups.read()() == pytest.approx((3.0, 5.0))


def test_a_limit_that_changes_is_seen(groups: Groups) -> None:
    """As Kubernetes may change it while the container runs, or take it away."""
    groups.group("", "50000 100000", 2_000_000)
    cpu = groups.read()
    groups.group("", "200000 100000", 2_000_000)
    assert cpu() == pytest.approx((18.0, 20.0))
    groups.group("", "max 100000", 2_000_000)
    assert cpu() == (0.0, 0.0)


def test_the_tightest_of_the_groups_around_counts(groups: Groups) -> None:
    """A service of half a core in a slice of two; the outermost group has no file for a limit."""
    groups.group("", None)
    groups.group("slice", "200000 100000", 9_000_000)
    groups.group("slice/service", "50000 100000", 1_000_000)
    assert groups.read("1:name=systemd:/x\n0::/slice/service\n")() == pytest.approx((4.0, 5.0))
    groups.group("slice/service", "max 100000", 1_000_000)
    assert groups.read("0::/slice/service\n")() == pytest.approx((11.0, 20.0))


@pytest.mark.parametrize("mine", ["0::/only/outside\n", "0::/../other\n", "", "4:cpu:/old\n"])
def test_a_path_that_is_not_mounted_here_means_the_root(groups: Groups, mine: str) -> None:
    """A container without a namespace of its own is told its path on the machine."""
    groups.group("", "100000 100000", 4_000_000)
    assert groups.read(mine)() == pytest.approx((6.0, 10.0))


def test_without_groups_there_is_no_limit(tmp_path: Path) -> None:
    """As on a machine with the groups of version 1, or on none of Linux."""
    assert ContainerCpu(tmp_path / "none", tmp_path / "neither")() == (0.0, 0.0)


def test_this_machine_is_read_without_an_error() -> None:
    """Whatever it limits."""
    spare, allowed = ContainerCpu()()
    assert spare <= allowed
