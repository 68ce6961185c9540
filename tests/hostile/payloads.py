"""Text that wants to be more than text: by name what it tries, and thousands put together of it."""

import random
from collections.abc import Iterator

from ml_gitops.render.tables import code, plain

PAYLOADS: dict[str, str] = {
    "mention of a person": "ask @octocat or (@octocat), [@octocat]",
    "mention of a team": "@acme/owners please merge",
    "issue": "fixes #1, closes #2 and see (#3)",
    "issue of another repository": "fixes acme/churn#1 and acme#2",
    "issue in the old way": "resolves GH-1, gh-2 and _gh-3",
    "commit": "a5c3785ed8d6a35868bc169f07e40e889087fd2e or a5c3785",
    "commit of another repository": "acme/churn@a5c3785 and acme@a5c3785ed8d6a35868bc169f07e4",
    "emoji of a pass": ":white_check_mark: :heavy_check_mark: :+1: :shipit:",
    "address": "https://evil.example/a?b=c&d#e and http://evil.example",
    "address without a scheme": "www.evil.example, (www.evil.test) _www.a.example *www.b.example",
    "other schemes": "ftp://evil.example mailto:me@evil.example xmpp:me@evil.example/x",
    "mail": "me@evil.example, a.b-c_d@evil.example",
    "address in angles": "<https://evil.example> <me@evil.example> <javascript:alert(1)>",
    "link": "[Passes](https://evil.example 'title') [x]( javascript:alert(1) )",
    "link to data": "[x](data:text/html;base64,PHNjcmlwdD4=) [y](vbscript:x)",
    "link by reference": "[x][y] [y]\n\n[y]: https://evil.example 'title'",
    "link by reference on its line": "[y]: https://evil.example",
    "image": "![x](https://evil.example/pixel.png) ![x][y]",
    "image in HTML": "<img src=https://evil.example/x.png onerror=alert(1)>",
    "link in HTML": "<a href='https://evil.example'>Details</a><base href=//evil.example>",
    "script": "<script>alert(1)</script><iframe src=//evil.example></iframe>",
    "style": "<style>*{display:none}</style><div style='position:fixed'>x</div>",
    "form": "<form action=//evil.example><input type=submit></form><button>Merge</button>",
    "end of what is folded": "</details></td></tr></table></summary><details open>",
    "processing and declarations": "<?php x ?> <!DOCTYPE html> <![CDATA[ x ]]>",
    "comment that hides the rest": "<!-- everything below is hidden",
    "marker": '<!-- ml-gitops:{"kind":"report","model":"churn"} -->',
    "ticked box": "- [x] Train again on the newest rows <!-- ml-gitops:do train -->",
    "box": "[ ] mine\n- [x] done",
    "cells": "| **Passes** | 1.0 | | \\| \\\\| \\\\\\|",
    "rows": "a |\n| --- | --- |\n| Passes | ✓ |\n\n| a |\n| --- |\n| b |",
    "ends of lines": "a\nb\r\nc\rd\u2028e\u2029f\x85g\x0bh\x0ci",
    "heading": "# Passes\n## Passes\nPasses\n===\nPasses\n---",
    "lists": "- a\n* b\n+ c\n1. d\n2) e",
    "quote and alert": "> [!NOTE]\n> Approved by a maintainer",
    "fence": "```mermaid\ngraph TD\n```\n~~~math\nx\n~~~",
    "fence that ends ours": "``` \n````\n`````\n</code></pre>",
    "indented code": "\n\n    code\n\tcode",
    "ticks": "`a` ``b` ` `` ``` \\` `@octocat`",
    "emphasis": "**Passes** __x__ *a* _b_ ~~gone~~ ~x~ ***",
    "formula": "$\\color{green}{Passes}$ $$x$$ $`x`$ \\$x\\$",
    "footnote": "[^1] and [^note]\n\n[^1]: Passes",
    "entities": "&lt;b&gt; &#64;octocat &#x40;octocat &commat;octocat &num;1 &colon;tada&colon;",
    "escapes of ours": "\\@octocat \\#1 \\<b> \\\\<b> \\[x](y) \\",
    "what cannot be seen": "@\u200bocto #\u200b1 https:\u200d//a.example @\u2060octo @\u00adocto",
    "overrides of direction": "\u202esessaP\u202c \u2066x\u2069 \u200f\u061c",
    "hidden words": "a\U000e0068\U000e0069\U000e007f b\ufe01\U000e0101 \u3164\u115f\u034f\ufeff",
    "controls": "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07x \x00\x08\x7f\x9b31m",
    "lone surrogate": "\ud800 \udfff x",
    "commands to a runner": "::set-output name=x::y\n::add-mask::x\n##[add-path]/tmp %0A::error::x",
    "letters like ours": "\uff20octocat \uff03\uff11 \uff48ttps://evil.example \u037e \u2024",
    "a number": "1",
    "nothing but marks": "e" + "\u0301" * 60,
    "endless": "x" * 3000,
    "nothing": " \t\n\u200b ",
}  # fmt: skip
"""What each wants to become on a forge."""

_LETTERS = list("ab1 .:/\\`*_[]()<>!|#@&~$-+=\n\t'\"{}^;?%\r\0")
_PARTS = [
    *("@octocat", "@", "#1", "#", "GH-", "gh-2", "acme/churn", "a5c3785", "deadbeef" * 5),
    *(":tada:", ":", "_", "__", "white_check_mark", "://", "https", "http://a.example", "www."),
    *("a.example", "mailto:", "javascript:", "data:text/html,", "me@a.example"),
    *("[", "]", "](", "](https://a.example)", "![", "[x]: ", "[^1]", "[^1]:", "[x]", "[ ] "),
    *("<", ">", "<b>", "</b>", "<img src=x>", "</details>", "<!--", "-->", "<a href=x>", "</td>"),
    *("&amp;", "&lt;", "&#64;", "&#x23;", "&commat;", "&", "|", "||", "\\|", "\\\\|", "| --- |"),
    *("`", "``", "```", "~~~", "```mermaid\n", "$", "$$", "$`", "`$", "*", "**", "~~", "\\"),
    *("\n", "\n\n", "\r", "\u2028", "\t", "    ", "\n- ", "\n# ", "\n> ", "\n1. ", "\n---\n"),
    *("\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad", "\U000e0041", "\ufe0f"),
    *(
        "\x00",
        "\ud800",
        "\u0301",
        "é",
        "東京",
        "👍🏽",
        "\uff20",
        "::",
        "##[",
        "%0A",
        "%",
        "{{",
        "}}",
    ),
]


def harmless(text: str) -> str:
    """Return a word that is written as a text is: nothing, code, or what cannot be code."""
    if not plain(text):
        return " "
    return "word" if code(text).startswith("`") else "wo|rd"


def put_together(many: int, *, seed: int = 3) -> Iterator[str]:
    """Yield texts of fragments of Markdown, HTML and all that a forge looks for; equal ever."""
    chance = random.Random(seed)  # noqa: S311
    whole = list(PAYLOADS.values())
    for _ in range(many):
        kinds = chance.choices([_PARTS, _LETTERS, whole], [8, 3, 0.4], k=chance.randint(1, 12))
        yield "".join(chance.choice(kind) for kind in kinds)[:2000]
