"""The figures of one account as of the moment of an evaluation."""

from collections.abc import Iterator

from schemas.figures import (
    AccountFigures,
    FiguresRequest,
    MilestoneFigures,
    ProgramFigures,
    RequestFigures,
)
from services.cadence.account import DAY, moment
from services.cadence.evaluation.state import EvaluationState
from services.cadence.features.contracts import revenue_amounts
from services.cadence.features.requests import open_requests
from services.cadence.features.view import AccountView
from services.cadence.figures.contracts import contract_figures
from services.cadence.figures.conversation import last_conversation
from services.cadence.figures.usage import usage_figures

RECENT = 90 * DAY
MOST = 10


def account_figures(
    state: EvaluationState, request: FiguresRequest, program: ProgramFigures | None
) -> AccountFigures:
    """`program`: what `choose_program` chose, as it was announced."""
    view, known = state.view, state.facts.account_values()
    values = {
        name: known[name].value if name in known else None for name in ("name", "language", "nps_score")
    }
    arr, currency = _revenue(state)
    return AccountFigures.model_validate(
        {
            "account_id": request.account_id,
            **values,
            "arr": arr,
            "currency": currency,
            **{name: view.values[name] for name in ("segment", "stage", "color", "health_score")},
            "usage": usage_figures(view),
            "contract": contract_figures(view, request.about),
            "program": program,
            "milestones": tuple(_milestones(view)),
            "requests": tuple(_requests(view)),
            "conversation": last_conversation(view),
        }
    )


def _revenue(state: EvaluationState) -> tuple[float | None, str | None]:
    """In the currency of the contracts where they share one, else in that of the policy, if there is a rate."""
    currency = state.policy.content.currency
    amounts = revenue_amounts(state.facts, currency)
    currencies = {own for _, own in amounts}
    if len(currencies) == 1:
        return sum(amount for amount, _ in amounts), currencies.pop()
    arr = state.view.values["arr"]
    return (float(arr), currency) if amounts and isinstance(arr, int | float) else (None, None)


def _milestones(view: AccountView) -> Iterator[MilestoneFigures]:
    """Newest first, each name once."""
    recent = [
        thing
        for thing in view.things("milestone.reached")
        if view.now - RECENT < thing.at <= view.now and thing.fields.get("milestone")
    ]
    for thing in recent[: -MOST - 1 : -1]:
        fields = thing.fields
        yield MilestoneFigures.model_validate(
            {
                "milestone": fields["milestone"],
                "kind": fields.get("kind"),
                "reached_at": moment(thing.at),
            }
        )


def _requests(view: AccountView) -> Iterator[RequestFigures]:
    """Oldest first."""
    for thing in open_requests(view)[:MOST]:
        fields = thing.fields
        yield RequestFigures.model_validate(
            {
                "request_id": fields["request_id"],
                "received_at": moment(thing.at),
                "channel": fields.get("channel"),
            }
        )
