"""The figures of an account for messages, from its stored facts: pure, nothing is fetched or written.

Each figure is what was reported or nothing: what is not known is absent, and never 0 in its place.
"""

from services.cadence.figures.account import account_figures as account_figures
from services.cadence.figures.programs import choose_program as choose_program
from services.cadence.figures.programs import program_figures as program_figures
