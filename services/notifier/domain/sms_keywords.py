"""The words with which a person ends text messages, and begins them again, by answering one."""

import unicodedata
from enum import StrEnum
from typing import Final


class SmsKeyword(StrEnum):
    STOP = "stop"
    START = "start"


# `STOP` is what our messages name, and what carriers and gateways know everywhere. The others are the words usual in the
# five languages of the messages.
_STOP: Final = frozenset(
    {"stop", "stopall", "stopp", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"}  # en
    | {"abmelden", "abbestellen", "ende"}  # de
    | {"parar", "pare", "sair", "cancelar"}  # pt
    | {"baja", "alto", "fin", "detener"}  # es
    | {"berhenti", "henti", "unreg", "batal"}  # id
)
_AGREEMENTS: Final = frozenset({"yes", "ja", "si", "sim", "ya"})
"""Words that say START only where somebody had stopped: else they answer something."""
_START: Final = _AGREEMENTS | {"start", "unstop", "iniciar", "comecar", "volver", "alta", "mulai"}


def read_keyword(text: str, *, has_stopped: bool) -> SmsKeyword | None:
    """What the text asks for, if it is nothing but one of the words; None: it is an answer."""
    bare = unicodedata.normalize("NFD", text.lower())
    word = "".join(character for character in bare if character.isalpha())
    if word in _STOP:
        return SmsKeyword.STOP
    if word in _START and (has_stopped or word not in _AGREEMENTS):
        return SmsKeyword.START
    return None
