"""How often the collector runs once a process has started."""

import gc

from runtime.garbage import YOUNG, collect_seldom


def test_what_was_loaded_is_set_aside_and_the_young_are_left_alone_for_longer() -> None:
    before = gc.get_threshold()
    frozen = gc.get_freeze_count()
    try:
        collect_seldom()
        assert gc.get_threshold()[0] == YOUNG > before[0]
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
