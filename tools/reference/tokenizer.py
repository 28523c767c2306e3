"""Hard strings through the embedded model's tokenizer, and its chat template.

Strings marked `edge` turn on where JavaScript and the tokenizer's own regular
expressions disagree about white space or letter case.
"""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

from transformers import AutoTokenizer

from common import DATA, write_json

FOLDER = DATA / "tokenizer"

STRINGS = [
    "",
    " ",
    "a",
    "Hello, world!",
    "the quick brown fox, jumping; over the lazy dog.",
    "  two leading spaces",
    "trailing spaces   ",
    "many      spaces         between",
    "\t\ttabs\tand \t mixed",
    "line one\nline two\n\nline four\n",
    "windows\r\nline\r\n\r\nendings\r\n",
    "old mac\rreturns\r\r",
    "   \n   indented after blank\n\t\n",
    "\n\n\n",
    "don't you'll we've I'm it's they'd you're",
    "DON'T YOU'LL WE'VE I'M IT'S THEY'D YOU'RE",
    "don\u2019t curly you\u2019ll \u2018quoted\u2019 \u201cdouble\u201d",
    "rock 'n' roll 'tis o'clock 'sudden 'll",
    "dogs' tails; James's; ''''",
    "1234567890",
    "3.14159 -2,000.50 1e-5 0x1F 50% $9.99 \u00a312",
    "in 1999, 24/7, 10:45pm; 2nd 3rd 4th",
    "snake_case camelCase kebab-case __dunder__ x1y2z3",
    "http://example.org/a?b=c&d=e#f mail@example.org",
    "!!! ??? ... --- *** ###\n",
    "...\n\n...\r\n!?\n",
    "a\u2014b \u2013 c\u2026 \u2022 \u00a7 \u00b6",
    "caf\u00e9 na\u00efve r\u00e9sum\u00e9 \u00c5ngstr\u00f6m",
    unicodedata.normalize("NFD", "caf\u00e9 na\u00efve r\u00e9sum\u00e9 \u00c5ngstr\u00f6m"),
    "\u212bngstr\u00f6m sign and \u2126 ohm",
    "e\u0301\u0302 stacked a\u0323\u0307 order a\u0307\u0323",
    "\ufb01ne \ufb02ow ligatures \uff21\uff22\uff23 full width",
    "Z\u0351\u0346a\u0321\u034cl\u0338g\u0336o\u0335",
    "stra\u00dfe STRASSE \u0130stanbul \u0131s\u0131",
    "\U0001f600 \U0001f680\U0001f31f plain emoji",
    "\U0001f44d\U0001f3fd skin tone \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family",
    "\U0001f1eb\U0001f1f7\U0001f1ef\U0001f1f5 flags \u2764\ufe0f \u2615 1\ufe0f\u20e3",
    "word\U0001f600word \U0001f600\n",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \u30ab\u30bf\u30ab\u30ca",
    unicodedata.normalize("NFD", "\u304c\u304e\u3050 \u30d1\u30d4\u30d7"),
    "\ud55c\uad6d\uc5b4 \ubb38\uc7a5",
    unicodedata.normalize("NFD", "\ud55c\uad6d\uc5b4 \ubb38\uc7a5"),
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0439 \u0451",
    "\u03b5\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac \u1f00\u03c1\u03c7\u03ae",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \u0661\u0662\u0663",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e \u0967\u0968",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "x\u00b2 + y\u00b3 = \u00bd \u2167 \u2460",
    "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n",
    "text<|endoftext|>more text<|endoftext|>",
    "  <|im_end|>  spaces around it  <|im_start|>",
    "<|im_end|><|im_end|><|endoftext|>",
    "<|im_end |> <im_end> <|IM_END|> <| |>",
    "caf<|im_end|>e\u0301",
    "\U0001d4d7\U0001d4ee\U0001d4f5\U0001d4f5\U0001d4f8 letters beyond the first plane",
    "\u0000\u0001\u001f\u007f control",
    "soft\u00adhyphen zero\u200bwidth \u200enote",
    "no\u00a0break \u00a0\u00a0 spaces \u2003em\u3000wide\u2009thin",
    "line\u2028separator para\u2029graph",
    "some longer words: incomprehensibilities antidisestablishmentarianism Llanfairpwllgwyngyll",
]
EDGE = [
    "next\u0085line \u0085 here",
    "\ufeffbyte order mark \ufeff inside",
    "mongolian\u180evowel separator",
    "long s: it'\u017f here and 'S",
    "\u000bvertical \u000c form feed \u001c file separator",
    "\ufeff\n\ufeff \n",
]

CHATS = [
    [{"role": "user", "content": "Write with these words: garden, gate"}],
    [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "well, hello yourself."}],
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "  spaces kept \n"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "caf\u00e9 \U0001f600\r\nsecond line"},
    ],
    [{"role": "user", "content": "a text that holds <|im_end|> itself, & <b>marks</b> \"quoted\" 'so'"}],
]


def make(base: Path) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    vectors = []
    for text, edge in [(text, False) for text in STRINGS] + [(text, True) for text in EDGE]:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert ids == tokenizer(text)["input_ids"], "the tokenizer adds no tokens of its own"
        decoded = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        vectors.append({"text": text, "ids": ids, "decoded": decoded, "edge": edge})
    chats = []
    for messages in CHATS:
        for add in (False, True):
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=add)
            chats.append(
                {
                    "messages": messages, "add_generation_prompt": add, "text": text,
                    "ids": tokenizer(text, add_special_tokens=False)["input_ids"],
                }
            )
    write_json(FOLDER / "vectors.json", {"strings": vectors, "chats": chats})
    print(f"tokenizer: {len(vectors)} strings, {len(chats)} chats")
