"""How often Python looks for garbage that reference counts do not free."""

import gc


def spare_the_collector() -> None:
    """Exclude what was imported from garbage collection: traversing it was a third of a busy service's CPU time.

    A few concurrent batches of events stay below the first threshold and are freed by their reference counts; of the
    simulation of a book it was a sixth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
