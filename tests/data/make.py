"""Makes the documents of this folder and `truth.json`, which says what is on them: `python -m tests.data.make`.

All names, firms and numbers are invented. See README.md for what each file is for, and LICENSES.md for what may be done with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pymupdf

from tests.data import scans
from tests.data.paper import Cell, Face, Paper
from tests.unit.engines.pdf_pages import remap

FOLDER = Path(__file__).parent
PASSWORD = "открой-42"

WORKS = [
    ("1", "Монтаж кабельных лотков", "м", "340", "412,50", "140 250,00"),
    ("2", "Прокладка кабеля ВВГнг-LS 3×2,5", "м", "1 250", "86,40", "108 000,00"),
    ("3", "Установка щита ЩРн-24", "шт.", "6", "7 915,00", "47 490,00"),
    ("4", "Пусконаладочные работы", "компл.", "1", "63 700,00", "63 700,00"),
]


def act() -> Paper:
    """A Russian act of acceptance: title, numbered sections, a table with a head of two levels and spans, amounts that add up."""
    paper = Paper()
    sheet = paper.sheet()
    sheet.title("АКТ № 17/2024 приёмки выполненных работ")
    sheet.paragraph("г. Тверь, 15 марта 2024 года")
    sheet.heading("1. Предмет акта", 2)
    sheet.paragraph(
        "Общество с ограниченной ответственностью «Северный свет», именуемое в дальнейшем Подрядчик, сдало, а акционерное общество "
        "«Тверские мануфактуры», именуемое в дальнейшем Заказчик, приняло работы по договору № 204-П от 9 января 2024 года."
    )
    sheet.paragraph("Материалы поставлены фирмой Helmut Richter GmbH, сертификат ISO 9001 прилагается.")
    sheet.heading("2. Перечень работ", 2)
    sheet.table(
        [28, 176, 52, 52, 74, 90],
        [
            [
                Cell("№", rowspan=2),
                Cell("Наименование работ", rowspan=2),
                Cell("Объём", colspan=2),
                Cell("Стоимость, руб.", colspan=2),
            ],
            [Cell("Ед. изм."), Cell("Кол-во"), Cell("Цена"), Cell("Сумма")],
            *[[Cell(text) for text in row] for row in WORKS],
            [Cell("Итого", colspan=5), Cell("359 440,00")],
            [Cell("НДС 20 %", colspan=5), Cell("71 888,00")],
            [Cell("Всего с НДС", colspan=5), Cell("431 328,00")],
        ],
        head_rows=2,
    )
    sheet.heading("3. Заключение", 2)
    sheet.paragraph(
        "Работы выполнены в полном объёме и в установленный срок. Заказчик претензий по качеству и срокам не имеет. Гарантийный срок "
        "составляет двадцать четыре месяца со дня подписания настоящего акта."
    )
    sheet.paragraph("Настоящий акт составлен в двух экземплярах, имеющих одинаковую юридическую силу.")
    return paper


def letter() -> Paper:
    """A short Russian letter, for crooked and faxed pages."""
    paper = Paper(Face(size=12))
    sheet = paper.sheet()
    sheet.title("О переносе срока поставки")
    sheet.paragraph("Уважаемый Пётр Алексеевич!")
    sheet.paragraph(
        "Сообщаем, что оборудование по спецификации № 3 будет отгружено 22 апреля 2024 года вместо 8 апреля. Причина задержки состоит в "
        "том, что завод изготовитель остановил линию на плановый ремонт. Стоимость товара и условия оплаты при этом не изменяются."
    )
    sheet.paragraph(
        "Просим подтвердить согласие до 29 марта и сообщить, кто будет принимать груз на складе. Пропуск для водителя нужно заказать за "
        "два дня, поэтому просим не откладывать ответ. Масса груза 1 480 кг, число мест 12."
    )
    sheet.paragraph("Если новый срок вас не устраивает, мы готовы поставить первую партию раньше, отдельной машиной и за наш счёт.")
    sheet.paragraph("С уважением, начальник отдела сбыта Марина Юрьевна Котова")
    return paper


def fax_letters() -> Paper:
    """Three pages, so that the frames of a TIFF can be told apart."""
    paper = Paper(Face("helv", "hebo", 13))
    for number, (title, text) in enumerate(
        [
            ("Заявка на пропуск", "Просим выдать пропуск на въезд автомобиля Газель, водитель Сергей Громов, на период с 3 по 7 июня."),
            ("Согласование", "Схема подключения согласована без замечаний. Работы разрешается начать после получения наряда."),
            ("Delivery notice", "The second lot of pumps was shipped on Monday. Please confirm receipt of all twelve boxes by telephone."),
        ],
        start=1,
    ):
        sheet = paper.sheet()
        sheet.title(title)
        sheet.paragraph(text)
        sheet.paragraph(f"Документ № {number}04 / 2024")
    return paper


def columns() -> Paper:
    """An English article: a title over two columns, which are read one after the other."""
    paper = Paper(Face(size=10.5))
    sheet = paper.sheet()
    sheet.title("Notes on keeping a small archive")
    top = sheet.y
    left = [
        (
            "A small archive is kept alive by habits, not by software. Whoever receives a paper writes the date on it, and whoever lends a "
            "folder leaves a card in its place. These two rules cost a minute a day, and they answer most questions that are ever asked."
        ),
        (
            "The second habit is to throw away. Copies of copies fill a room faster than originals, and nobody dares to remove them after "
            "ten years. It is better to decide in the first month, while people still remember what the copy was made for."
        ),
        "Labels should be written by hand only where the writer will be there to read them. A printed label survives its author.",
    ]
    right = [
        (
            "Scanning does not replace the shelf. It gives the reader a second way to the page, and it tells early when a page is missing. "
            "A scan without a list of contents is a box without a label, only larger."
        ),
        (
            "The last habit is to look. Once a year somebody takes down every tenth folder, opens it, and checks that the list agrees with "
            "what lies inside. Errors found in this way are small, because they are young."
        ),
        "None of this needs a budget. It needs a person with a key, a pencil and the right to say no.",
    ]
    for x0, x1, texts in ((64.0, 290.0, left), (314.0, 540.0, right)):
        sheet.column.left, sheet.column.right, sheet.y = x0, x1, top
        for text in texts:
            sheet.paragraph(text)
    return paper


_READINGS = [
    ("Котельная № 1", "104 220", "109 815"),
    ("Котельная № 2", "88 017", "90 336"),
    ("Насосная станция", "45 901", "47 250"),
    ("Склад готовой продукции", "12 778", "13 004"),
    ("Ремонтный цех", "67 345", "70 118"),
    ("Столовая", "9 156", "9 873"),
]
_READINGS_LATER = [
    ("Административный корпус", "33 480", "34 902"),
    ("Проходная", "2 015", "2 164"),
    ("Гараж", "15 690", "16 377"),
]
_REPORT = [
    (
        "Учёт энергии на предприятии ведётся по приборам, установленным на вводах. Показания снимают в последний рабочий день месяца, "
        "записывают в журнал и сверяют с данными поставщика. Расхождение больше двух процентов разбирает комиссия."
    ),
    (
        "В отчётном месяце поверку прошли четыре счётчика. Один прибор заменён, поскольку его погрешность оказалась выше допустимой. "
        "Снятый прибор передан в лабораторию."
    ),
    "Потери в сетях распределены пропорционально расходу. Такой порядок принят в прошлом году и пересмотру до конца договора не подлежит.",
]
_BROKEN_OFF = "Комиссия осмотрела вводные устройства, проверила целость пломб и пришла к выводу, что показания приборов соответствуют "
_BROKEN_ON = "записям в журнале, а расхождений с данными поставщика энергии за отчётный месяц не обнаружено."


def running() -> Paper:
    """Three pages with running heads and page numbers; a paragraph runs over the first page break, a table over the second."""
    paper = Paper()
    sheets = [paper.sheet() for _ in range(3)]
    for sheet in sheets:
        sheet.head("Отчёт об учёте энергии за май 2024 года")
    first, second, third = sheets
    first.heading("Отчёт об учёте энергии", 1, growth=1.6)
    while first.y < 715:
        first.paragraph(_REPORT[len(first.truth) % len(_REPORT)])
    first.paragraph(_BROKEN_OFF.strip())
    second.paragraph(_BROKEN_ON)
    while second.y < 560:
        second.paragraph(_REPORT[len(second.truth) % len(_REPORT)])
    head = [Cell("Объект"), Cell("На начало, кВт·ч"), Cell("На конец, кВт·ч")]
    second.y = 590
    second.caption("Таблица 1 — Показания приборов", "table_title")
    second.table([236, 120, 120], [head, *[[Cell(text) for text in row] for row in _READINGS]], size=11)
    third.table([236, 120, 120], [head, *[[Cell(text) for text in row] for row in _READINGS_LATER]], size=11)
    third.paragraph("Показания снял инженер Олег Дмитриевич Вересов.")
    for number, sheet in enumerate(sheets, start=1):
        sheet.foot_number(number)
    return paper


def lists() -> Paper:
    """Bulleted, numbered and lettered lists."""
    paper = Paper()
    sheet = paper.sheet()
    sheet.heading("Порядок приёмки товара", 1, growth=1.6)
    sheet.paragraph("При приёмке товара на складе кладовщик обязан проверить:")
    sheet.item("•", "соответствие товара накладной и счёту;")
    sheet.item("•", "целость упаковки, пломб и маркировки, а если упаковка нарушена, составить акт при водителе и сделать снимки;")
    sheet.item("•", "срок годности.")
    sheet.y += 6
    sheet.paragraph("Порядок действий при недостаче таков, и отступать от него нельзя:")
    sheet.item("1.", "Остановить приёмку и сообщить начальнику смены.")
    sheet.item("2.", "Пересчитать места вместе с водителем.")
    sheet.item("3.", "Составить акт в трёх экземплярах, подписать его и передать один экземпляр перевозчику под расписку.")
    sheet.y += 6
    sheet.paragraph("К акту прилагаются следующие документы:")
    sheet.item("а)", "копия накладной;")
    sheet.item("б)", "снимки повреждений;")
    sheet.item("в)", "объяснение водителя.")
    return paper


def _drawing() -> bytes:
    """A picture that no one takes for text: a landscape of soft shapes, as a photograph has them."""
    height, width = 180, 320
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([110 + 0.5 * y, 150 + 0.3 * y, 235 - 0.6 * y], axis=2)
    hill = y > 110 + 18 * np.sin(x / 37) + 9 * np.sin(x / 11 + 1)
    picture[hill] = np.stack([40 + 0.1 * x, 110 - 0.15 * y, 50 + 0.05 * x], axis=2)[hill]
    sun = (x - 250) ** 2 + (y - 45) ** 2 < 22**2
    picture[sun] = (250, 225, 120)
    blurred = cv2.GaussianBlur(picture.astype(np.uint8), (5, 5), 1)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(blurred, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert done
    return bytes(data)


def figure() -> Paper:
    """A figure with a caption, and a table with a title."""
    paper = Paper()
    sheet = paper.sheet()
    sheet.heading("Описание участка", 1, growth=1.6)
    sheet.paragraph("Участок расположен на южном склоне холма, подъезд возможен с востока. Общий вид участка показан на рисунке 1.")
    sheet.figure(_drawing(), 340, 191)
    sheet.caption("Рисунок 1 — Общий вид участка с южной стороны", "figure_title")
    sheet.y += 8
    sheet.paragraph("Площадь земель разных видов приведена в таблице 1. Измерения выполнены в августе прошлого года при сухой погоде.")
    sheet.y += 8
    sheet.caption("Таблица 1 — Площадь земель", "table_title")
    rows = [("Пашня", "12,40"), ("Луг", "7,85"), ("Лес", "31,06"), ("Дороги", "0,94")]
    sheet.table([200, 120], [[Cell("Вид земель"), Cell("Площадь, га")], *[[Cell(text) for text in row] for row in rows]], size=11)
    sheet.paragraph("Границы участка закреплены на местности межевыми знаками, каталог координат хранится в архиве.")
    return paper


def chinese() -> Paper:
    """A Chinese notice with a table."""
    paper = Paper(Face("china-s", "china-s", 12))
    sheet = paper.sheet()
    sheet.title("关于设备验收的通知")
    sheet.paragraph(
        "各部门负责人请注意，新购置的实验设备将于本月二十日运抵仓库。请相关人员提前做好准备，按照清单逐项核对数量和型号，发现问题及时报告。"
    )
    sheet.paragraph("验收工作由采购部牵头，技术部和财务部配合。所有文件应当在三天之内归档保存。")
    rows = [("示波器", "12", "4800.00"), ("电源", "25", "960.50"), ("万用表", "40", "215.00")]
    sheet.table([150, 110, 130], [[Cell("名称"), Cell("数量"), Cell("单价")], *[[Cell(text) for text in row] for row in rows]], size=12)
    return paper


def prose() -> Paper:
    """Plain Russian text, long enough to judge a text layer by."""
    paper = Paper()
    sheet = paper.sheet()
    sheet.heading("Пояснительная записка", 1, growth=1.6)
    for text in _REPORT:
        sheet.paragraph(text)
    return paper


def _cp1251_as_latin(char: str) -> str:
    return char.encode("cp1251", "replace").decode("latin-1")


def _without_letters(char: str) -> str:
    return "\ufffd" if char.isalpha() else char


def _compact(document: pymupdf.Document) -> bytes:
    document.xref_set_key(-1, "ID", "null")
    content: bytes = document.tobytes(garbage=4, deflate=True, no_new_id=True)
    return content


def _scanned(pages: list[bytes]) -> bytes:
    document = pymupdf.open()
    for picture in pages:
        scans.append_scan(document, picture)
    return _compact(document)


def _locked(pdf: bytes) -> bytes:
    with pymupdf.open(stream=pdf) as document:
        content: bytes = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", user_pw=PASSWORD, garbage=4)
        return content


def _mixed(digital: bytes, scan: bytes) -> bytes:
    with pymupdf.open(stream=digital) as document:
        scans.append_scan(document, scan)
        return _compact(document)


def documents() -> dict[str, tuple[bytes, list[list[dict[str, Any]]]]]:
    """File name → content and, page by page, what is on it."""
    vector = {paper.__name__: paper() for paper in (act, letter, fax_letters, columns, running, lists, figure, chinese, prose)}
    pdf = {name: paper.pdf() for name, paper in vector.items()}
    truth = {name: paper.truth for name, paper in vector.items()}
    page = scans.gray(pdf["act"])
    scan = scans.encoded(scans.aged(page, seed=1), "JPEG")
    letter_scan = scans.aged(scans.gray(pdf["letter"]), seed=2)
    made = {f"{name}.pdf": (pdf[name], truth[name]) for name in ("act", "columns", "running", "lists", "figure", "chinese")}
    made |= {
        "act_scan.pdf": (_scanned([scan]), truth["act"]),
        "act_turned_90.png": (scans.encoded(cv2.rotate(scans.aged(page, seed=3), cv2.ROTATE_90_CLOCKWISE), "PNG"), truth["act"]),
        "act_turned_180.jpg": (scans.encoded(cv2.rotate(scans.aged(page, seed=4), cv2.ROTATE_180), "JPEG"), truth["act"]),
        "act_turned_270.webp": (scans.encoded(cv2.rotate(scans.aged(page, seed=5), cv2.ROTATE_90_COUNTERCLOCKWISE), "WEBP"), truth["act"]),
        "letter_skewed.jpg": (scans.encoded(scans.skewed(letter_scan, 3.0), "JPEG"), truth["letter"]),
        "fax.tiff": (scans.fax([scans.gray(pdf["fax_letters"], number) for number in range(3)]), truth["fax_letters"]),
        "locked.pdf": (_locked(pdf["prose"]), truth["prose"]),
        "letters_unmapped.pdf": (_compact(remap(pymupdf.open(stream=pdf["prose"]), _without_letters)), truth["prose"]),
        "cp1251_as_latin.pdf": (_compact(remap(pymupdf.open(stream=pdf["prose"]), _cp1251_as_latin)), truth["prose"]),
        "mixed.pdf": (_mixed(pdf["prose"], scans.encoded(letter_scan, "JPEG")), truth["prose"] + truth["letter"]),
    }
    return made


def main() -> None:
    made = documents()
    for name, (content, _) in made.items():
        (FOLDER / name).write_bytes(content)
    truth = {name: {"pages": pages} for name, (_, pages) in sorted(made.items())}
    (FOLDER / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
