"""Documents as other software writes them, with the words that it reads out of them again: a Word document by
python-docx, an OpenDocument text by odfpy, an e-book by EbookLib, and an archive by Python's zipfile. They need
python-docx, odfpy and EbookLib, in an environment of their own: pip install python-docx==1.2.0 odfpy==1.4.1
EbookLib==0.20."""

from __future__ import annotations

import datetime
import io
import json
import re
import zipfile
from pathlib import Path

OUT = Path(__file__).resolve().parent / "data" / "documents"

TITLE = "The river of winter"
PARAGRAPHS = [
    "She went down to the river, “naïve” as ever — and came back with a café’s worth of stories.",
    "Nothing had changed since she was a child: the old stone bridge, the lantern, the kettle on its hook.",
    "& so on < as they say > the façade stayed; nobody asked.",
]
VERSE = ["The water runs beneath the stone", "and carries what it will;", "the lantern that we left alone", "is burning, burning still."]
ITEMS = ["a lantern", "two kettles"]
CELLS = [["Monday", "rain"], ["Tuesday", "snow"]]


def rewritten(data: bytes) -> bytes:
    """The same archive with fixed dates, and without the template's picture and styles of tables."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith("thumbnail.jpeg"):
                content = b""
            if "/styles" in info.filename:
                content = re.sub(rb'<w:style w:type="table".*?</w:style>', b"", content, flags=re.DOTALL)
            if info.filename.endswith(".xml"):
                content = re.sub(rb'(w:date=")[^"]*', rb"\g<1>2020-01-02T03:04:04Z", content)
            copy = zipfile.ZipInfo(info.filename, (2020, 1, 2, 3, 4, 4))
            copy.compress_type = zipfile.ZIP_STORED if info.filename == "mimetype" else zipfile.ZIP_DEFLATED
            target.writestr(copy, content)
    return out.getvalue()


def word() -> list[str]:
    import docx

    document = docx.Document()
    document.add_heading(TITLE, 1)
    for text in PARAGRAPHS:
        paragraph = document.add_paragraph()
        for i, part in enumerate(text.split(" ")):
            paragraph.add_run(part if i == 0 else f" {part}").italic = i % 3 == 1
    verse = document.add_paragraph()
    for i, line in enumerate(VERSE):
        run = verse.add_run(line)
        if i + 1 < len(VERSE):
            run.add_break()
    for item in ITEMS:
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, texts in zip(table.rows, CELLS):
        for cell, text in zip(row.cells, texts):
            cell.text = text
    document.sections[0].header.paragraphs[0].text = "The head of each page"
    document.sections[0].footer.paragraphs[0].text = "The foot of each page"
    document.add_comment(verse.runs, text="A comment on the verse", author="A reader")
    file = io.BytesIO()
    document.save(file)
    (OUT / "river.docx").write_bytes(rewritten(file.getvalue()))
    again = docx.Document(OUT / "river.docx")
    return [p.text for p in again.paragraphs] + ["\t".join(cell.text for cell in row.cells) for row in again.tables[0].rows]


def open_document() -> list[str]:
    from odf import office, table, teletype, text
    from odf.opendocument import OpenDocumentText, load

    document = OpenDocumentText()
    document.text.addElement(text.H(outlinelevel=1, text=TITLE))
    for words in PARAGRAPHS:
        paragraph = text.P()
        for i, part in enumerate(words.split(" ")):
            paragraph.addElement(text.Span(text=part if i == 0 else f" {part}"))
        document.text.addElement(paragraph)
    verse = text.P()
    for i, line in enumerate(VERSE):
        verse.addText(line)
        if i + 1 < len(VERSE):
            verse.addElement(text.LineBreak())
    document.text.addElement(verse)
    listing = text.List()
    for item in ITEMS:
        entry = text.ListItem()
        entry.addElement(text.P(text=item))
        listing.addElement(entry)
    document.text.addElement(listing)
    rows = table.Table(name="weather")
    rows.addElement(table.TableColumn(numbercolumnsrepeated=2))
    for texts in CELLS:
        row = table.TableRow()
        for words in texts:
            cell = table.TableCell()
            cell.addElement(text.P(text=words))
            row.addElement(cell)
        rows.addElement(row)
    document.text.addElement(rows)
    last = text.P()
    teletype.addTextToElement(last, "Two   spaces\tand a tab")
    document.text.addElement(last)
    file = io.BytesIO()
    document.write(file)
    (OUT / "river.odt").write_bytes(rewritten(file.getvalue()))
    again = load(OUT / "river.odt")
    # a note and an annotation are added to what is read back, so that odfpy's text is without them
    read = [teletype.extractText(element) for kind in (text.H, text.P) for element in again.getElementsByType(kind)]
    paragraph = again.getElementsByType(text.P)[0]
    note = text.Note(noteclass="footnote")
    note.addElement(text.NoteCitation(text="1"))
    body = text.NoteBody()
    body.addElement(text.P(text="A note below"))
    note.addElement(body)
    paragraph.addElement(note)
    annotation = office.Annotation()
    annotation.addElement(text.P(text="An annotation beside"))
    paragraph.addElement(annotation)
    file = io.BytesIO()
    again.write(file)
    (OUT / "river.odt").write_bytes(rewritten(file.getvalue()))
    return read


def book() -> list[str]:
    from ebooklib import epub

    made = epub.EpubBook()
    made.set_identifier("river")
    made.set_title(TITLE)
    made.set_language("en")
    chapters = []
    for n, texts in enumerate([PARAGRAPHS[:2], PARAGRAPHS[2:]], 1):
        chapter = epub.EpubHtml(title=f"Chapter {n}", file_name=f"chapter {n}.xhtml", lang="en")
        escaped = [t.replace("&", "&amp;").replace("<", "&lt;") for t in texts]
        chapter.content = f"<html><body><h2>Chapter {n}</h2>{''.join(f'<p>{t}</p>' for t in escaped)}</body></html>"
        made.add_item(chapter)
        chapters.append(chapter)
    made.toc = chapters
    made.add_item(epub.EpubNcx())
    made.add_item(epub.EpubNav())
    made.spine = ["nav", *chapters]
    path = OUT / "river.epub"
    epub.write_epub(path, made, {"mtime": datetime.datetime(2020, 1, 2, 3, 4, 4)})
    path.write_bytes(rewritten(path.read_bytes()))
    return ["Chapter 1", *PARAGRAPHS[:2], "Chapter 2", *PARAGRAPHS[2:]]


class Stream(io.RawIOBase):
    """Cannot seek: zipfile then writes sizes behind the data, as programs do that send an archive as they make it."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.data += bytes(data)
        return len(data)


def archive() -> dict[str, str]:
    stream = Stream()
    with zipfile.ZipFile(stream, "w") as made:
        def add(name: str, text: str, **options) -> None:
            info = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 4))
            info.compress_type = options.pop("compress_type", zipfile.ZIP_DEFLATED)
            with made.open(info, "w", **options) as entry:
                entry.write(text.encode())

        made.mkdir("notes")
        add("notes/café.txt", "deflated " * 40)
        add("notes/stored.txt", PARAGRAPHS[0], compress_type=zipfile.ZIP_STORED)
        add("notes/large.txt", "with sizes of 64 bits", force_zip64=True)
        add("notes/empty.txt", "")
        made.comment = b"kept as it is"
    (OUT / "notes.zip").write_bytes(stream.data)
    with zipfile.ZipFile(OUT / "notes.zip") as again:
        return {info.filename: again.read(info).decode() for info in again.infolist() if not info.is_dir()}


def make() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    expected = {"docx": word(), "odt": open_document(), "epub": book(), "zip": archive(), "title": TITLE}
    (OUT / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make()
