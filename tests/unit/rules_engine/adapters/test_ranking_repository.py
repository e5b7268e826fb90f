"""Percentiles count as changed when there were none before, or when one moved by half a percent."""

from services.rules_engine.adapters.ranking_repository import has_moved


def test_ranks_move_when_there_were_none_or_one_changed_by_half_a_percent() -> None:
    before = [1_000.0, 2_000.0]
    assert has_moved([], before)
    assert has_moved(before, [])
    assert not has_moved(before, [1_001.0, 1_999.0])
    assert has_moved(before, [1_000.0, 2_020.0])
    assert has_moved([0.0, 0.0], [0.0, 1.0])
    assert not has_moved([0.0, 0.0], [0.0, 0.0])
