"""What striprtf reads in rich text documents: made here as the programs of their time write them, each with
something that readers get wrong. The words of each are ours."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from striprtf.striprtf import rtf_to_text

WORD = r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman\fcharset0\fprq2{\*\panose 02020603050405020304}Times New Roman;}{\f1\fnil\fcharset2 Symbol;}{\f2\froman\fcharset238 Times New Roman CE;}{\f3\froman\fcharset204 Times New Roman Cyr;}{\f4\fmodern\fcharset128 MS Mincho{\*\falt \'82\'6c\'82\'72};}}"
STYLES = r"{\colortbl;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}{\*\cs10 Default Paragraph Font;}}"
INFO = r"{\info{\title A walk by the river}{\author Nobody}{\creatim\yr2021\mo3\dy2}}"


def hexed(text: str, encoding: str) -> str:
    return "".join(f"\\'{byte:02x}" if byte >= 0x80 or byte in b"\\{}" else chr(byte) for byte in text.encode(encoding))


CASES: dict[str, str] = {
    "plain": WORD + STYLES + INFO + r"\pard\plain\f0 The lantern stood in the window.\par It was still burning in the morning.\par}",
    "formatting inside words": WORD + r"\pard The {\b lan}{\i tern} \ul stood\ulnone  in \fs28 the\fs24  window.\par}",
    "quotation marks and dashes": WORD + r"\pard\ldblquote Come in,\rdblquote  she said\emdash she didn\rquote t look up \endash  or \lquote so\rquote .\par}",
    "accents by code page": WORD + r"\pard " + hexed("Æsop était naïf, façade, “café”.", "cp1252") + r"\par}",
    "Czech and Russian by their fonts": WORD + r"\pard {\f2 " + hexed("Příliš žluťoučký kůň", "cp1250") + r"} and {\f3 " + hexed("тихая река", "cp1251") + r"}\par}",
    "Japanese in two bytes": WORD + r"\pard {\f4 " + hexed("静かな川のほとり", "cp932") + r"}\par}",
    "Unicode with substitutes": WORD + r"\uc1\pard The caf\u233\'e9 in \u321?\u243\'f3d\u378?, 5\u8201 ?000, \u-10179?\u-8704? and {\uc2\u27700\'90\'85\u-255xx}.\par}",
    "Unicode without substitutes": WORD + r"\uc0\pard caf\u233 , na\u239ve\u8230\par}",
    "pictures with bytes": WORD + r"\pard Before{\pict\wmetafile8\picw10\pich10 0100090000034201}{\*\shppict{\pict\pngblip 89504e470d0a1a0a}} and after.\par}",
    "heads and notes": WORD + r"{\header\pard The head\par}{\footer\pard Page {\field{\*\fldinst PAGE}{\fldrslt 1}}\par}\pard A line{\super\chftn}{\footnote\pard {\super\chftn} A note.} goes on.\par}",
    "fields": WORD + r'\pard See {\field{\*\fldinst{ REF _Ref1 \\h }}{\fldrslt{the second letter}}} again.\par}',
    "lists": WORD + r"{\pntext\f1\'b7\tab}\pard\fi-360 milk\par{\listtext\f0 2.\tab}bread\par}",
    "tables": WORD + r"\trowd\cellx2000\cellx4000\pard\intbl milk\cell two\cell\row\pard After it.\par}",
    "hidden and deleted": WORD + r"\pard Seen{\v  unseen}{\deleted  gone}\v  not\v0  and kept.\par}",
    "a Mac's": r"{\rtf1\mac\ansicpg10000{\fonttbl\f0\froman\fcharset77 Times;}\f0 " + hexed("“Déjà vu” — naïve", "mac_roman") + "\\\nSecond line.\\\n}",
    "escapes": WORD + r"\pard C:\\texts \{so\} it\~is, co\-operate, twenty\_one\line and on.\par}",
}


def paired(text: str) -> str:
    """striprtf leaves the two halves of a character beyond U+FFFF apart; JSON cannot say that."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def make() -> None:
    cases = [{"name": name, "rtf": rtf, "striprtf": paired(rtf_to_text(rtf, errors="ignore"))} for name, rtf in CASES.items()]
    out = Path(__file__).parent / "data" / "import" / "rtf.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"striprtf": version("striprtf"), "cases": cases}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"rtf: {len(cases)} documents")


if __name__ == "__main__":
    make()
