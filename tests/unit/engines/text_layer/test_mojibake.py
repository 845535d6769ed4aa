# ruff: noqa: E501  the samples are easier to read unbroken
from __future__ import annotations

import random
import string

import pytest

from ocr_service.engines.text_layer.mojibake import look_at
from tests.unit.engines.pdf_pages import ENGLISH, RUSSIAN

_SOUND = {
    "Russian": RUSSIAN,
    "Russian in capitals": RUSSIAN.upper(),
    "English": ENGLISH,
    "German": "Der Auftragnehmer verpflichtet sich, die Geräte innerhalb von dreißig Tagen nach Eingang der Anzahlung zu liefern. Schäden müssen "
    "unverzüglich gemeldet werden, ansonsten gelten die Waren als ordnungsgemäß übergeben; für Mängel haftet der Hersteller.",
    "French": "Le maître d'œuvre s'engage à réceptionner les travaux achevés dans les délais prévus. Été comme hiver, la sécurité du chantier "
    "relève de l'entrepreneur, qui répond également de la qualité des matériaux livrés.",
    "Polish": "Wykonawca zobowiązuje się dostarczyć urządzenia w ciągu trzydziestu dni od otrzymania zaliczki. Zamawiający sprawdza towar w "
    "miejscu odbioru i podpisuje protokół, chyba że stwierdzono widoczne uszkodzenia. Żółć, źdźbło, chrząszcz, wszczęcie, przedsiębiorstwo.",
    "Czech": "Zhotovitel se zavazuje dodat zařízení do třiceti dnů po obdržení zálohy. Objednatel zboží převezme v místě dodání a podepíše "
    "předávací protokol, pokud nebylo zjištěno zjevné poškození.",
    "Turkish": "Yüklenici, avans ödemesinin alınmasından sonra otuz gün içinde cihazları teslim etmekle yükümlüdür. Müşteri malları teslim yerinde "
    "kontrol eder ve kabul tutanağını imzalar.",
    "Vietnamese": "Nhà thầu có nghĩa vụ giao thiết bị trong vòng ba mươi ngày kể từ khi nhận được tiền tạm ứng. Bên mua kiểm tra hàng hóa tại nơi "
    "giao hàng và ký biên bản nghiệm thu.",
    "Ukrainian": "Замовник зобов'язується прийняти та оплатити виконані роботи у строки, зазначені в цьому договорі. Підрядник несе відповідальність "
    "за якість матеріалів і обладнання, а також за дотримання вимог пожежної безпеки на об'єкті.",
    "Belarusian": "Заказчык абавязваецца прыняць і аплаціць выкананыя работы ў тэрміны, указаныя ў гэтым дагаворы. Падрадчык нясе адказнасць за якасць "
    "матэрыялаў і абсталявання, а таксама за захаванне патрабаванняў пажарнай бяспекі.",
    "Kazakh": "Тапсырыс беруші осы шартта көрсетілген мерзімде орындалған жұмыстарды қабылдауға және төлеуге міндеттенеді. Мердігер материалдар мен "
    "жабдықтардың сапасына, сондай-ақ өрт қауіпсіздігі талаптарының сақталуына жауапты болады.",
    "Greek": "Ο ανάδοχος υποχρεούται να παραδώσει τον εξοπλισμό εντός τριάντα ημερών από την είσπραξη της προκαταβολής.",
    "Chinese": "承包商应在收到预付款后三十天内交付设备。每次交货均附有质量证书和产品技术说明。买方在交货地点检查货物并签署验收记录。" * 3,
    "digits": " ".join(f"{number * 7919 % 100000 / 100:.2f}" for number in range(200)),
    "part numbers": " ".join(f"{letters}-{number}/{letters[::-1]}X" for number, letters in enumerate(["DKV", "XQZ", "BTRFKW", "PLQ"] * 20, 1000)),
    "code": "def strncpy_s(dst: ptr, src: ptr, n: int) -> None:\n    for i in range(n):\n        if src[i] == 0: break\n        dst[i] = src[i] & 0xFF\n"
    "fprintf(stderr, \"%s: errno %d\\n\", argv[0], errno); qsort(tbl, nmemb, sizeof(*tbl), cmpfn); xmlFreeDoc(doc); mktemp -d",
    "leaders": "Введение ........................ 3 Глава первая ........................ 17 Приложение ______________________ 99",
    "law with many paragraph signs": "§ 1 § 2 Abs. 3 § 4 i.V.m. § 17 VwGO gelten entsprechend, soweit nichts anderes bestimmt ist",
    "three words": "Утверждаю Генеральный директор",
    "one abbreviation": "ГОСТ Р ИСО",
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("name", _SOUND)
def test_sound_text_of_any_kind_is_not_suspected(name: str) -> None:
    assert look_at(_SOUND[name].split(), 0).damage is None


def _shifted(text: str, by: int) -> str:
    cyrillic = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
    latin = string.ascii_lowercase
    table = {ord(char): alphabet[(index + by) % len(alphabet)] for alphabet in (cyrillic, latin) for index, char in enumerate(alphabet)}
    return text.lower().translate(table)


def _shuffled(text: str, seed: int) -> str:
    letters = list("абвгдежзийклмнопрстуфхцчшщъыьэюя")
    mixed = letters.copy()
    random.Random(seed).shuffle(mixed)
    return text.lower().translate(dict(zip(map(ord, letters), mixed, strict=True)))


_BROKEN = {
    "cp1251 as Latin-1": (RUSSIAN.encode("cp1251").decode("latin-1"), "Cyrillic read as Latin-1"),
    "cp1251 as Latin-1, two words": ("Ïðîòîêîë çàñåäàíèÿ", "Cyrillic read as Latin-1"),
    "KOI8-R as cp1251": (RUSSIAN.encode("koi8_r").decode("cp1251"), "letters make no words"),
    "cp1251 as KOI8-R": (RUSSIAN.encode("cp1251").decode("koi8_r"), "letters make no words"),
    "cp866 as cp1251": (RUSSIAN.encode("cp866").decode("cp1251", "ignore"), "wrong character encoding"),
    "UTF-8 as cp1251": (RUSSIAN.encode().decode("cp1251", "ignore"), "letters of several scripts in one word"),
    "UTF-8 as Latin-1": ("".join(char for char in RUSSIAN.encode().decode("latin-1") if char.isprintable() or char == " "), "Cyrillic read as Latin-1"),
    "shifted Russian": (_shifted(RUSSIAN, 3), "letters make no words"),
    "shifted English": (_shifted(ENGLISH, 5), "letters make no words"),
    "shuffled Russian": (_shuffled(RUSSIAN, 1), "letters make no words"),
    "glyph numbers": ("".join(chr(0x21 + ord(char) % 31) for char in ENGLISH.replace(" ", "")), "symbols instead of letters"),
    "glyph numbers far up": ("".join(chr(0x180 + ord(char) % 64) if char != " " else " " for char in RUSSIAN), "Cyrillic read as Latin-1"),
    "no spaces": (RUSSIAN.replace(" ", "").replace("\n", ""), "no spaces between words"),
    "letters apart": (" ".join(ENGLISH.replace(" ", "")), "words torn into letters"),
    "cid numbers": (" ".join(f"(cid:{number})(cid:{number + 1})" for number in range(20)), "letters unmapped"),
}  # fmt: skip


@pytest.mark.parametrize("name", _BROKEN)
def test_broken_text_is_recognised_with_its_reason(name: str) -> None:
    text, reason = _BROKEN[name]
    assert look_at(text.split(), 0).damage == reason


def test_letters_that_stand_for_nothing_condemn_a_page_from_a_tenth_on() -> None:
    words = ENGLISH.split()
    letters = sum(map(len, words))
    assert look_at(words, letters // 20).damage is None
    assert look_at(words, letters // 5).damage == "letters unmapped"


def test_the_plausibility_of_shuffled_letters_is_far_below_that_of_sound_ones() -> None:
    sound, broken = look_at(RUSSIAN.split(), 0).plausibility, look_at(_shuffled(RUSSIAN, 4).split(), 0).plausibility
    assert sound is not None
    assert broken is not None
    assert sound - broken > 1.5
