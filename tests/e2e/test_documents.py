"""What a user is promised, document by document: the real service, real models, the documents of `tests/data` and what is on them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import openpyxl
import pymupdf
import pytest

from ocr_service.api import wire
from tests.e2e import truth
from tests.e2e.running import RunningServer, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

# A page is read in seconds, but other tests may share the machine.
PATIENCE_S = 500
DIGITAL = ["act.pdf", "columns.pdf", "running.pdf", "lists.pdf", "figure.pdf", "locked.pdf"]
SCANS = ["act_scan.pdf", "act_turned_90.png", "act_turned_180.jpg", "act_turned_270.webp", "letter_skewed.jpg", "fax.tiff"]
BROKEN_LAYERS = ["letters_unmapped.pdf", "cp1251_as_latin.pdf"]
ACTS = ["act_scan.pdf", "act_turned_90.png", "act_turned_180.jpg", "act_turned_270.webp"]
# Reading from the picture what can also be read from the file.
AS_PICTURE = {"text_layer": "ignore"}
BOTH_WAYS = [pytest.param({}, id="from the file"), pytest.param(AS_PICTURE, id="from the picture")]
GOOD_OCR = 0.95


class Service:
    """The running service; each question is asked once, however many tests look at the answer."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self._answers: dict[tuple[str, tuple[tuple[str, str], ...]], wire.Document] = {}

    def read(self, name: str, **form: str) -> wire.Document:
        question = (name, tuple(sorted(form.items())))
        if question not in self._answers:
            secret = {"password": truth.PASSWORD} if name == "locked.pdf" else {}
            content = (truth.FOLDER / name).read_bytes()
            response = self.server.post(content, name=name, data=form | secret, timeout=PATIENCE_S)
            assert response.status_code == 200, response.text
            self._answers[question] = wire.Document.model_validate_json(response.content)
        answer = self._answers[question]
        assert (answer.status, answer.failed_pages) == ("complete", [])
        return answer

    def file(self, url: str) -> bytes:
        response = self.server.client.get(url)
        assert response.status_code == 200, response.text
        return response.content


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running("server_vllm.py", tmp_path_factory.mktemp("documents"), OCR_PAGE_TIMEOUT_S="300") as server:
        yield Service(server)


def verdicts(document: wire.Document) -> list[tuple[bool, str]]:
    return [(page.text_layer.used, page.text_layer.reason) for page in document.pages if page.text_layer is not None]


def labelled(page: wire.Page, *labels: str) -> list[wire.BlockAnswer]:
    return [block for block in page.blocks if block.label in labels]


# --- words ---


@pytest.mark.parametrize("name", DIGITAL)
def test_a_born_digital_document_keeps_every_word_and_gets_no_other(service: Service, name: str) -> None:
    answer = service.read(name)
    for page, true in zip(answer.pages, truth.of(name), strict=True):
        assert truth.recall(true.texts, page.markdown) == 1
        assert truth.precision(true.texts, page.markdown) == 1
        assert {block.source for block in page.blocks} == {"text_layer"}
    assert set(verdicts(answer)) == {(True, "trusted")}


@pytest.mark.parametrize("name", SCANS)
def test_a_scan_keeps_nearly_every_word_and_gets_hardly_any_other(service: Service, name: str) -> None:
    answer = service.read(name)
    for page, true in zip(answer.pages, truth.of(name), strict=True):
        assert truth.recall(true.texts, page.markdown) >= GOOD_OCR, page.markdown
        assert truth.precision(true.texts, page.markdown) >= GOOD_OCR, page.markdown
        assert {block.source for block in page.blocks} == {"ocr"}
    assert set(verdicts(answer)) == {(False, "no text")}


@pytest.mark.parametrize("name", BROKEN_LAYERS)
def test_a_text_layer_that_lies_is_found_out_and_the_picture_is_read(service: Service, name: str) -> None:
    answer = service.read(name)
    [page], [true] = answer.pages, truth.of(name)
    [(used, reason)] = verdicts(answer)
    assert not used
    assert reason not in {"no text", "trusted"}
    assert truth.recall(true.texts, page.markdown) >= GOOD_OCR, page.markdown
    assert truth.precision(true.texts, page.markdown) >= GOOD_OCR, page.markdown


def test_each_page_is_judged_for_itself(service: Service) -> None:
    answer = service.read("mixed.pdf")
    assert verdicts(answer) == [(True, "trusted"), (False, "no text")]
    for page, true in zip(answer.pages, truth.of("mixed.pdf"), strict=True):
        assert truth.recall(true.texts, page.markdown) >= GOOD_OCR, page.markdown


@pytest.mark.parametrize("form", [{}, {"lang": "zh", **AS_PICTURE}], ids=["from the file", "from the picture"])
def test_chinese_is_read_character_by_character(service: Service, form: dict[str, str]) -> None:
    [page], [true] = service.read("chinese.pdf", **form).pages, truth.of("chinese.pdf")
    wanted = truth.characters(true.texts)
    got = truth.characters(re.sub(r"</?t[a-z]+[^>]*>", " ", page.markdown))
    assert len(got) == pytest.approx(len(wanted), abs=2)
    assert sum(a != b for a, b in zip(wanted, got, strict=False)) <= (2 if form else 0)
    assert [cell.text for cell in truth.table_of(page).cells] == [cell["text"] for cell in true.table["cells"]]


def test_the_pages_of_a_fax_come_in_their_order(service: Service) -> None:
    pages = service.read("fax.tiff").pages
    titles = [true.blocks[0]["text"] for true in truth.of("fax.tiff")]
    assert [page.page for page in pages] == [1, 2, 3]
    assert all(title in page.markdown for title, page in zip(titles, pages, strict=True))


# --- the way a page lies ---


@pytest.mark.parametrize(("name", "turn"), [("act_turned_90.png", 270), ("act_turned_180.jpg", 180), ("act_turned_270.webp", 90)])
def test_a_page_that_lies_on_its_side_is_put_upright(service: Service, name: str, turn: int) -> None:
    [page] = service.read(name).pages
    assert page.rotation == turn
    assert page.width is not None
    assert page.height is not None
    assert page.width < page.height
    table, heading = (labelled(page, label)[0].bbox for label in ("table", "paragraph_title"))
    assert heading[3] < table[1]


def test_a_crooked_page_is_put_straight(service: Service) -> None:
    [page] = service.read("letter_skewed.jpg").pages
    assert page.rotation == 0
    assert page.skew == pytest.approx(-3.0, abs=0.3)


# --- tables ---


def test_a_born_digital_table_is_exact_to_the_last_cell(service: Service) -> None:
    [page], [true] = service.read("act.pdf").pages, truth.of("act.pdf")
    table = truth.table_of(page)
    got = [(cell.row, cell.column, cell.rowspan, cell.colspan, cell.text) for cell in table.cells]
    wanted = [tuple(cell[key] for key in ("row", "column", "rowspan", "colspan", "text")) for cell in true.table["cells"]]
    assert (table.rows, table.columns) == (true.table["rows"], true.table["columns"])
    assert got == wanted


@pytest.mark.parametrize("name", ACTS)
def test_a_scanned_table_keeps_its_grid_and_its_spans(service: Service, name: str) -> None:
    [page], [true] = service.read(name).pages, truth.of(name)
    got = [cell.model_dump() for cell in truth.table_of(page).cells]
    assert truth.spans(got) == truth.spans(true.table["cells"])


@pytest.mark.parametrize("name", ACTS)
def test_every_digit_of_every_amount_in_a_scanned_table_is_right(service: Service, name: str) -> None:
    [page], [true] = service.read(name).pages, truth.of(name)
    got = {(cell.row, cell.column): truth.digits(cell.text) for cell in truth.table_of(page).cells}
    amounts = {(cell["row"], cell["column"]): cell["text"] for cell in true.table["cells"] if cell["column"] >= 3 and cell["row"] >= 2}
    assert len(amounts) == 15
    assert {place: got[place] for place in amounts} == {place: truth.digits(text) for place, text in amounts.items()}


def test_a_tables_head_is_marked_as_head(service: Service) -> None:
    [page] = service.read("act.pdf").pages
    heads = {cell.row for cell in truth.table_of(page).cells if cell.is_header}
    assert heads == {0, 1}


def test_tables_come_as_a_workbook_with_merged_cells_and_as_csv(service: Service) -> None:
    answer = service.read("act.pdf", outputs="tables")
    [true] = truth.of("act.pdf")
    workbook = openpyxl.load_workbook(io.BytesIO(service.file(answer.urls["tables_xlsx"])))
    [sheet] = workbook.worksheets
    for cell in true.table["cells"]:
        assert sheet.cell(cell["row"] + 1, cell["column"] + 1).value == cell["text"]
    merged = {(area.min_row - 1, area.min_col - 1, area.size["rows"], area.size["columns"]) for area in sheet.merged_cells.ranges}
    assert merged == {place for place in truth.spans(true.table["cells"]) if place[2:] != (1, 1)}
    [name] = [name for name in answer.outputs if name.startswith("table_p")]
    rows = list(csv.reader(io.StringIO(service.file(answer.urls[name]).decode("utf-8-sig"))))
    assert [len(row) for row in rows] == [true.table["columns"]] * true.table["rows"]
    assert rows[-1] == ["Всего с НДС", "", "", "", "", "431 328,00"]


# --- headings, lists, figures ---


@pytest.mark.parametrize("name", ["act.pdf", "act_scan.pdf"])
def test_the_title_is_above_the_sections_in_level(service: Service, name: str) -> None:
    [page], [true] = service.read(name).pages, truth.of(name)
    headings = [(block.level, block.content) for block in labelled(page, "doc_title", "paragraph_title")]
    assert headings == [(block.get("level", 1), block["text"]) for block in true.of("title", "heading")]
    levels = re.findall(r"^(#+) ", page.markdown, re.MULTILINE)
    assert levels == ["#", "##", "##", "##"]


def test_list_items_keep_their_own_markers(service: Service) -> None:
    [page], [true] = service.read("lists.pdf").pages, truth.of("lists.pdf")
    items = [(block.marker, block.content) for block in labelled(page, "list_item")]
    assert items == [(item["marker"], item["text"]) for item in true.of("item")]
    assert "\n2. Пересчитать места вместе с водителем." in page.markdown
    assert "- соответствие товара накладной и счёту;" in page.markdown


def test_list_items_of_a_scan_keep_their_own_markers(service: Service) -> None:
    [page], [true] = service.read("lists.pdf", **AS_PICTURE).pages, truth.of("lists.pdf")
    items = [(block.marker, block.content.split()[0]) for block in labelled(page, "list_item")]
    assert items == [(item["marker"], item["text"].split()[0]) for item in true.of("item")]
    assert "\n2. Пересчитать места вместе с водителем." in page.markdown
    assert "- соответствие товара накладной и счёту;" in page.markdown


@pytest.mark.parametrize("form", BOTH_WAYS)
def test_a_figure_is_cut_out_and_has_its_caption(service: Service, form: dict[str, str]) -> None:
    answer = service.read("figure.pdf", **form)
    [page] = answer.pages
    [figure] = labelled(page, "image", "chart")
    [caption] = labelled(page, "figure_title")
    assert truth.recall(["Рисунок 1 — Общий вид участка с южной стороны"], caption.content) == 1
    assert caption.order == figure.order + 1
    assert page.images == [figure.content]
    assert f"](images/{figure.content})" in page.markdown
    pixmap = pymupdf.Pixmap(service.file(f"/ocr/documents/{answer.document_id}/files/images/{figure.content}"))
    # It is 340 points wide and 191 high; its sky is blue, its hills are green.
    assert (pixmap.width / 200 * 72, pixmap.height / 200 * 72) == pytest.approx((340, 191), rel=0.05)
    assert max(range(3), key=pixmap.pixel(pixmap.width // 8, pixmap.height // 12).__getitem__) == 2
    assert max(range(3), key=pixmap.pixel(pixmap.width // 2, pixmap.height - 20).__getitem__) == 1


@pytest.mark.parametrize("form", BOTH_WAYS)
def test_a_tables_title_is_a_tables_title(service: Service, form: dict[str, str]) -> None:
    [page] = service.read("figure.pdf", **form).pages
    titles = [block.content for block in labelled(page, "table_title")]
    assert any(truth.recall(["Таблица 1 — Площадь земель"], title) == 1 for title in titles)


# --- the order of reading ---


@pytest.mark.parametrize("form", BOTH_WAYS)
def test_columns_are_read_one_after_the_other(service: Service, form: dict[str, str]) -> None:
    [page], [true] = service.read("columns.pdf", **form).pages, truth.of("columns.pdf")
    assert truth.is_in_order([block["text"] for block in true.blocks], page.markdown), page.markdown


# --- over page breaks ---


def test_running_heads_and_page_numbers_are_in_the_json_but_not_in_the_markdown(service: Service) -> None:
    answer = service.read("running.pdf")
    for page, true in zip(answer.pages, truth.of("running.pdf"), strict=True):
        heads = [block.content for block in labelled(page, "header")]
        numbers = [block.content for block in labelled(page, "number")]
        assert (heads, numbers) == ([block["text"] for block in true.of("header")], [block["text"] for block in true.of("number")])
        assert heads[0] not in page.markdown
        assert numbers[0] not in page.markdown
    assert "за май 2024 года" not in answer.markdown


def test_running_heads_are_in_the_markdown_on_request(service: Service) -> None:
    answer = service.read("running.pdf", include_headers_footers="true")
    assert answer.markdown.count("Отчёт об учёте энергии за май 2024 года") == 3


@pytest.mark.parametrize("form", BOTH_WAYS)
def test_a_paragraph_over_a_page_break_is_whole_in_the_documents_markdown(service: Service, form: dict[str, str]) -> None:
    markdown = service.read("running.pdf", **form).markdown
    [paragraph] = [line for line in markdown.splitlines() if line.startswith("Комиссия осмотрела")]
    assert paragraph.endswith("за отчётный месяц не обнаружено.")
    assert "показания приборов соответствуют записям в журнале" in paragraph


@pytest.mark.parametrize("form", BOTH_WAYS)
def test_a_table_over_a_page_break_is_one_table_with_one_head(service: Service, form: dict[str, str]) -> None:
    markdown = service.read("running.pdf", **form).markdown
    assert markdown.count("<table>") == 1
    assert markdown.count("<tr>") == 10
    assert markdown.count("Объект") == 1
    assert markdown.index("Столовая") < markdown.index("Административный корпус")


def test_a_table_over_a_page_break_is_one_sheet_and_the_pages_stay_as_they_are(service: Service) -> None:
    answer = service.read("running.pdf", outputs="tables")
    [sheet] = openpyxl.load_workbook(io.BytesIO(service.file(answer.urls["tables_xlsx"]))).worksheets
    objects = [row[0] for row in sheet.iter_rows(values_only=True)]
    first, second = (true.table for true in truth.of("running.pdf")[1:])
    wanted = [cell["text"] for cell in (*first["cells"], *second["cells"][3:]) if cell["column"] == 0]
    assert objects == wanted
    assert truth.table_of(answer.pages[2]).rows == second["rows"]


# --- searchable PDF ---


def places(pdf: bytes, words: list[str]) -> dict[str, pymupdf.Rect]:
    with pymupdf.open(stream=pdf) as document:
        found = {word: document[0].search_for(word) for word in words}
    assert all(found.values()), found
    return {word: rects[0] for word, rects in found.items()}


@pytest.mark.parametrize("name", ["act_scan.pdf"])
def test_words_of_a_scan_can_be_searched_where_they_stand(service: Service, name: str) -> None:
    answer = service.read(name, outputs="searchable_pdf")
    wanted = places((truth.FOLDER / "act.pdf").read_bytes(), ["мануфактуры", "Richter", "Пусконаладочные", "431 328,00"])
    got = places(service.file(answer.urls["searchable_pdf"]), list(wanted))
    for word, place in wanted.items():
        overlap = abs(place & got[word])
        assert overlap > 0.5 * abs(place), word


def test_a_searchable_pdf_looks_as_its_original(service: Service) -> None:
    answer = service.read("act_scan.pdf", outputs="searchable_pdf")
    before, after = (
        pymupdf.open(stream=content)[0].get_pixmap(dpi=50).samples
        for content in (service.file(answer.urls["source"]), service.file(answer.urls["searchable_pdf"]))
    )
    assert before == after


@pytest.mark.parametrize("name", ["act_turned_90.png", "fax.tiff"])
def test_a_picture_becomes_a_searchable_pdf_with_a_page_a_picture(service: Service, name: str) -> None:
    answer = service.read(name, outputs="searchable_pdf")
    with pymupdf.open(stream=service.file(answer.urls["searchable_pdf"])) as document:
        assert document.page_count == len(truth.of(name))
        for page, true in zip(document, truth.of(name), strict=True):
            assert truth.recall(true.texts, page.get_text()) >= GOOD_OCR
