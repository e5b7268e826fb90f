"""Answer the figures of accounts: what messages about them say of usage, contracts, programs and conversations."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from schemas.figures import AccountFigures, FiguresFound, FiguresWanted
from services.cadence.account import StampedFields
from services.cadence.account.codec import AccountState
from services.cadence.evaluation.state import EvaluationState
from services.cadence.figures import account_figures, choose_program, program_figures
from services.rules_engine.domain.account import EvaluationContext


class FiguresStore(Protocol):
    """What figures are read from."""

    async def states(self, account_ids: Collection[str]) -> Mapping[str, AccountState]:
        """The states of these accounts, of one that was merged into another that of the other; without unknown ones."""
        ...

    async def programs(self, program_ids: Collection[str]) -> Mapping[str, StampedFields]:
        """These programs as they were announced; without unknown ones."""
        ...


async def answer_figures(
    wanted: FiguresWanted, store: FiguresStore, context: EvaluationContext, now: datetime
) -> FiguresFound:
    """In the order of the requests; of an account that is not known only its id."""
    stored = await store.states({request.account_id for request in wanted.items})
    states = {
        account_id: EvaluationState(context.policy, state.facts, state.issued, context.portfolio, now)
        for account_id, state in stored.items()
    }
    chosen = {
        index: program_id
        for index, request in enumerate(wanted.items)
        if request.account_id in states
        and (program_id := choose_program(states[request.account_id], request)) is not None
    }
    programs = await store.programs(set(chosen.values()))
    items: list[AccountFigures] = []
    for index, request in enumerate(wanted.items):
        state, program_id = states.get(request.account_id), chosen.get(index, "")
        program = program_figures(program_id, programs[program_id]) if program_id in programs else None
        items.append(
            AccountFigures(account_id=request.account_id)
            if state is None
            else account_figures(state, request, program)
        )
    return FiguresFound(items=tuple(items))
