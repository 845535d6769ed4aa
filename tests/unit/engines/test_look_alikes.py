from __future__ import annotations

import pytest

from ocr_service.engines.look_alikes import told_apart


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("Поставщик: 000 «Чайка», ИНН", "Поставщик: ООО «Чайка», ИНН"),
        ("между 0О0 Ромашка и", "между ООО Ромашка и"),
        ("(000 „Свет“)", "(ООО „Свет“)"),
        ("№ n/n", "№ п/п"),
        ("Nt n/п.", "№ п/п."),
        ("за Il квартал", "за II квартал"),
        ("Раздел Ill.", "Раздел III."),
        ("WT.", "шт."),
        ("12 Kr", "12 кг"),
        ("договор Nt 17", "договор № 17"),
    ],
)
def test_what_looks_the_same_is_what_stands_there_in_russian(read: str, meant: str) -> None:
    assert " ".join(told_apart(read.split())) == meant


@pytest.mark.parametrize(
    "text",
    ["1 000 Рублей", "000", "000 руб.", "20 000 «Чаек»", "Il faut", "Nt", "Kristall", "n/m", "АБВ 000271 Г"],
)
def test_what_means_itself_stays(text: str) -> None:
    assert " ".join(told_apart(text.split())) == text
