"""Of an answer what its writer wrote is kept, however mail programs quote; only what is surely quoted is left out."""

import pytest

from services.notifier.domain.reply_text import MOST_CHARACTERS, own_text

QUOTED = "> A tip\n>\n> Hello Ann,"


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, Mar 2, 2026 at 1:00 PM Example <drumbeat@vendor.example> wrote:",
        "Am Mo., 2. März 2026 um 13:00 Uhr schrieb Example <drumbeat@vendor.example>:",
        "El lun, 2 mar 2026 a las 13:00, Example (<drumbeat@vendor.example>)\nescribió:",
        "Em seg., 2 de mar. de 2026 às 13:00, Example\n<drumbeat@vendor.example>\nescreveu:",
        "Pada Sen, 2 Mar 2026 pukul 13.00 Example <drumbeat@vendor.example>\nmenulis:",
    ],
)
def test_the_line_above_a_quotation_is_left_out_in_every_language(attribution: str) -> None:
    assert own_text(f"Yes, please.\n\n{attribution}\n\n{QUOTED}\n") == "Yes, please."


@pytest.mark.parametrize(
    "divider",
    [
        "________________________________",
        "-----Original Message-----",
        "-----Ursprüngliche Nachricht-----",
        "---------- Forwarded message ---------",
        "From: Example <drumbeat@vendor.example>\nSent: Monday\nTo: Ann\nSubject: A tip",
        "*Von:* Example\n*Gesendet:* Montag",
        "De : Example\nEnviado el: lunes",
        "Dari: Example\nTanggal: Senin",
    ],
)
def test_what_outlook_writes_below_is_left_out(divider: str) -> None:
    assert own_text(f"Yes, please.\n\n{divider}\n\nHello Ann,\n") == "Yes, please."


@pytest.mark.parametrize(
    "signature", ["-- \nAnn Example\nAcme", "--\nAnn", "Sent from my iPhone", "Von meinem iPhone gesendet"]
)
def test_the_signature_is_left_out(signature: str) -> None:
    assert own_text(f"Yes, please.\n\n{signature}\n") == "Yes, please."


def test_answers_between_the_quoted_lines_are_kept() -> None:
    text = "> Is Thursday fine?\nYes.\n> And Friday?\nNo, not Friday."

    assert own_text(text) == "Yes.\nNo, not Friday."


@pytest.mark.parametrize(
    "text",
    [
        "Two questions:\n1. When?\n2. How?",
        "From: my point of view this is fine.",
        "We met on 2 March 2026:\nit went well.",
        "- one\n- two -- and three",
        "The list you sent:\n\nis fine",
    ],
)
def test_what_only_looks_like_a_quotation_is_kept(text: str) -> None:
    assert own_text(text) == text


def test_of_nothing_but_a_quotation_nothing_is_left() -> None:
    assert own_text(QUOTED) == ""


def test_a_long_text_is_cut() -> None:
    text = own_text("word " * 2_000)

    assert len(text) <= MOST_CHARACTERS
    assert text.endswith("…")
