"""Names that the eye takes for others: blanks around them, invisible signs, letters that twin."""

import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

_TWINS = {
    # Cyrillic small and capital letters, then Greek ones, each with the Latin letter it looks like.
    **dict(zip("\u0430\u0435\u043e\u0440\u0441\u0443\u0445", "aeopcyx", strict=True)),
    **dict(zip("\u0456\u0458\u0455\u04bb\u0501", "ijshd", strict=True)),
    **dict(zip("\u0410\u0412\u0415\u041a\u041c\u041d\u041e", "ABEKMHO", strict=True)),
    **dict(zip("\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405", "PCTYXIJS", strict=True)),
    **dict(zip("\u0391\u0392\u0395\u0396\u0397\u0399\u039a", "ABEZHIK", strict=True)),
    **dict(zip("\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf", "MNOPTYXo", strict=True)),
}
_TABLE = str.maketrans(_TWINS)


def as_seen(name: str) -> str:
    """Return a name as the eye takes it: without what cannot be seen, in Latin where it twins."""
    shown = unicodedata.normalize("NFKC", name)
    seen = "".join(sign for sign in shown if sign.isspace() or sign.isprintable())
    return " ".join(seen.translate(_TABLE).split())


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant; None if none is close."""
    known = list(names)
    for like in (as_seen, lambda one: as_seen(one).casefold()):
        for one in known:
            if like(one) == like(name):
                return one
    return next(iter(get_close_matches(name, known, n=1)), None)


def strange_names(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield every name that fools the eye, and how it does."""
    known = list(dict.fromkeys(names))
    for name in known:
        said = _strange(name)
        twin = next((one for one in known if one != name and as_seen(one) == as_seen(name)), None)
        if said is None and twin is not None and _strange(twin) is None:
            said = f"looks like {twin!a}"
        if said is not None:
            yield name, said


def _strange(name: str) -> str | None:
    """Say what is strange about a name by itself; None if nothing is."""
    if not name.strip():
        return "is a name that cannot be seen"
    if name != name.strip():
        return "has blanks around it"
    hidden = next((sign for sign in name if not sign.isprintable()), None)
    if hidden is not None:
        return f"holds the invisible sign U+{ord(hidden):04X}"
    twin = next((sign for sign in name if sign in _TWINS), None)
    if twin is not None and any(sign.isascii() and sign.isalpha() for sign in name):
        return f"holds {unicodedata.name(twin).lower()}, which looks like {_TWINS[twin]!r}"
    return None
