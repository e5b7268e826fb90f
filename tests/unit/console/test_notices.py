"""A notice in an address is one of the fixed sentences."""

from services.console.notices import notice_of


def test_a_known_act_has_a_sentence_and_an_undo_with_a_version() -> None:
    notice = notice_of({"did": "done", "undo": "t-1", "version": "7"})
    assert notice is not None
    assert (notice.text, notice.undo) == ("Done.", ("t-1", "7"))


def test_other_words_are_no_notice_and_a_version_is_a_number() -> None:
    assert notice_of({"did": "You have won"}) is None
    notice = notice_of({"did": "done", "undo": "t-1", "version": "x"})
    assert notice is not None
    assert notice.undo is None


def test_an_error_is_shown_as_it_is() -> None:
    notice = notice_of({"failed": "The scheduler does not answer."})
    assert notice is not None
    assert notice.error == "The scheduler does not answer."
