"""What Python's email and mailbox read of mail that they wrote: transfer encodings, character sets, encoded words, parts,
and a mailbox's quoting. The words of each are ours."""

from __future__ import annotations

import json
import mailbox
import platform
import tempfile
import time
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

BODY = "The lantern stood in the window, as it had since the winter before.\n\nFrom the river came a low sound; nobody went to look.\n"
ACCENTS = "Déjà vu — “naïve” façade, 20 € in the café.\n"


def message(subject: str, text: str, *, charset: str = "utf-8", cte: str | None = None, sender: str = "Ann Writer <ann@example.org>") -> EmailMessage:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = sender
    mail["To"] = "Bob <bob@example.org>"
    mail["Subject"] = subject
    mail["Date"] = "Mon, 04 Mar 2019 10:11:12 +0100"
    mail.set_content(text, charset=charset, cte=cte)
    return mail


def mails() -> dict[str, EmailMessage]:
    html = message("An alternative", BODY)
    html.add_alternative("<p>The lantern stood in the <b>window</b>.</p>", subtype="html")
    html.set_boundary("alternative")
    attached = message("With a picture", BODY)
    attached.add_attachment(bytes(range(256)) * 40, maintype="image", subtype="png", filename="a b.png")
    attached.set_boundary("attached")
    nested = message("Forwarded", "See below, it is what I said.\n")
    nested.add_attachment(message("Inside", "These are not my words.\n", sender="Bob <bob@example.org>"))
    nested.set_boundary("nested")
    long = message("A very long subject that goes on so that it must be folded over several lines of the head of the mail, näturally", BODY)
    return {
        "plain": message("Plain", BODY, charset="us-ascii"),
        "quoted-printable": message("Quoted", ACCENTS, cte="quoted-printable"),
        "base64": message("Base 64", ACCENTS * 30, cte="base64"),
        "eight bits": message("Eight bits", ACCENTS, cte="8bit"),
        "iso-8859-15": message("Neun", "Zwölf Boxkämpfer für 20 €.\n", charset="iso-8859-15"),
        "koi8-r": message("тихая река", "тихая река и фонарь в окне\n", charset="koi8-r"),
        "iso-2022-jp": message("静かな川", "静かな川のほとりに窓がある。\n", charset="iso-2022-jp"),
        "folded subject": long,
        "alternative": html,
        "attachment": attached,
        "forwarded": nested,
    }


def read(raw: bytes) -> dict:
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    body = mail.get_body(preferencelist=("plain",))
    return {"subject": str(mail["Subject"]), "text": body.get_content().replace("\r\n", "\n")}


def make() -> None:
    single = [{"name": name, "mail": mail.as_bytes().decode("latin-1"), **read(mail.as_bytes())} for name, mail in mails().items()]
    with tempfile.TemporaryDirectory() as folder:
        box = mailbox.mbox(Path(folder) / "all.mbox")
        for mail in mails().values():
            own = mailbox.mboxMessage(mail.as_bytes(policy=policy.default))
            own.set_from("ann@example.org", time.gmtime(1_551_694_272))
            box.add(own)
        box.flush()
        written = (Path(folder) / "all.mbox").read_bytes()
    out = Path(__file__).parent / "data" / "import" / "mail.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"python": platform.python_version(), "mails": single, "mbox": written.decode("latin-1")}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"mail: {len(single)} mails")


if __name__ == "__main__":
    make()
