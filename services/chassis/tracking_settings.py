"""What is measured of mails to customers; nothing unless it is switched on."""

from services.chassis.setting_group import Group


class Tracking(Group):
    """`clicks`: which mails have a link that was followed; `opens`: which were opened. Each by itself."""

    clicks: bool = False
    opens: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of engagement that are measured: `clicked`, `opened`."""
        return frozenset(kind for kind, is_on in (("clicked", self.clicks), ("opened", self.opens)) if is_on)
