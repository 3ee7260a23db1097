"""What a client may have to be allowed on Kafka: one operation on one resource, and how it is granted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Operation = Literal["Read", "Write", "Describe", "Create", "Alter", "DescribeConfigs"]


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """One operation on a topic or a consumer group; Read and Write bring Describe with them.

    Attributes:
        operation: As ``kafka-acls.sh`` calls it.
        resource: What kind of thing ``name`` is.
        name: Its name, or with ``prefixed`` what the names begin with.
        prefixed: It is about every name that begins so.
    """

    operation: Operation
    resource: Literal["topic", "group"]
    name: str
    prefixed: bool = False

    def covers(self, name: str) -> bool:
        """Tell whether it is about this name."""
        return name.startswith(self.name) if self.prefixed else name == self.name

    def __str__(self) -> str:
        """Return it in words."""
        every = "every " if self.prefixed else ""
        return f"{self.operation} {every}{self.resource} {self.name}{'*' if self.prefixed else ''}"


def acl_arguments(accesses: Iterable[Access]) -> list[str]:
    """Return the arguments of ``kafka-acls.sh`` that grant these: a line for all operations on the same names."""
    names: dict[tuple[str, bool, Operation], list[str]] = {}
    for access in accesses:
        names.setdefault((access.resource, access.prefixed, access.operation), []).append(access.name)
    alike: dict[tuple[str, bool, tuple[str, ...]], list[Operation]] = {}
    for (resource, prefixed, operation), each in names.items():
        alike.setdefault((resource, prefixed, tuple(each)), []).append(operation)
    return [
        " ".join(
            [
                *(f"--operation {operation}" for operation in operations),
                *(["--resource-pattern-type prefixed"] if prefixed else []),
                *(f"--{resource} {name}" for name in each),
            ]
        )
        for (resource, prefixed, each), operations in alike.items()
    ]
