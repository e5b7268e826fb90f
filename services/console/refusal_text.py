"""How a page says that a service refused a call."""


def refusal_text(name: str, status: int, detail: str, *, reading: bool) -> str:
    """`name`: the service, as a sentence begins with it; `reading`: nothing was to be changed."""
    match status:
        case 401:
            return f"{name} does not accept this session. Sign out, and sign in again."
        case 403 if reading:
            return f"You cannot read this from {name[0].lower()}{name[1:]}: {detail}"
        case 403:
            return f"You are not allowed to do this: {detail}"
        case 404:
            return detail
        case 429 | 503:
            return f"{name} is temporarily unavailable: {detail}"
        case _:
            return f"{name} answered {status}: {detail}"
