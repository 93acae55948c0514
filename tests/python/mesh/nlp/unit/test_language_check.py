# ruff: noqa: RUF001 - the texts are in several languages
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.core.markup import MarkupChoice
from mesh.nlp.language import write_languages
from mesh.nlp.language_check import LanguageCheck

CHECK = LanguageCheck(frozenset(("en",)))


@dataclass(frozen=True)
class HowToRead:
    markup: MarkupChoice = "auto"
    language: str = "en"
    check_language: bool = True


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


ENGLISH = lines("""
Siobhán Ní Dhomhnaill lives in Dún Laoghaire.
Zbigniew Brzeziński met Wisława Szymborska.
Pádraig Ó Conghaile and Gráinne Ní Mháille own it.
Ryszard Kapuściński wrote about Łódź.
Günter Graß visited Köln and Düsseldorf.
Iñaki Urdangarín played handball for Barcelona.
François Hollande and Ségolène Royal separated.
Şükrü Özyıldız stars in it.
José María Aznar, Felipe González and Pedro Sánchez attended.
Nguyễn Phú Trọng met Võ Văn Thưởng in Hà Nội.
Björn Borg beat Ilie Năstase.
Håkan Nesser lives on Gotland.
Antonín Dvořák was born in Nelahozeves.
Señor Ramírez runs the Museo Nacional del Prado.
FC Bayern München beat Borussia Mönchengladbach.
Crédit Agricole bought shares of Société Générale.
Wojciech Szczęsny saved two penalties.
Mícheál Martin is Taoiseach.
Tomáš Satoranský signed with Barça.
Łukasz Fabiański, Robert Lewandowski, Kamil Grosicki
Angela Merkel, Gerhard Schröder, Helmut Kohl, Ludwig Erhard
Rue de Rivoli, Champs-Élysées, Place de la Concorde
Joost van der Westhuizen and Danie van Schalkwyk played.
Cristina Fernández de Kirchner lost to Mauricio Macri.
Hotel Vier Jahreszeiten Kempinski München: lovely.
Recep Tayyip Erdoğan spoke in İstanbul.
Þórður Jónsson climbed Hvannadalshnúkur.
Kūčios in Klaipėda was unforgettable.
Teatro alla Scala, Milano
Ho Chi Minh, Phan Văn Khải, Nguyễn Minh Triết
Menu: Wiener Schnitzel, Kartoffelsalat, Apfelstrudel
President Lech Kaczyński and his wife Maria died near Smolensk.
Champions League: Fenerbahçe 2, Beşiktaş 1
Universidad Nacional Autónoma de México, Mexico City
Contact Jörg Müller, Hauptstraße 5, 10115 Berlin.
Ludwig van Beethoven, Johann Sebastian Bach, Wolfgang Amadeus Mozart.
Håkon and Mette-Marit visited Tromsø.
Владимир Путин met Xi Jinping.
Nice spa, bad sauna.
omg lol so gooood
gr8 m8 i r8 8/8
Lorem ipsum dolor sit amet
Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.
Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip.
""")
MIXED = lines("""
We had crème brûlée and a café au lait.
The bouillabaisse and the moules marinières were superb.
His motto was "carpe diem, quam minimum credula postero".
"Je ne regrette rien" is my favourite song.
She whispered "te quiero mucho" and hung up.
My grandmother always said "morgen ist auch noch ein Tag".
Schadenfreude and Weltschmerz are my favourite words.
La Traviata at La Scala was magnificent.
Das Boot is a classic.
Cien años de soledad is a masterpiece.
El Laberinto del Fauno was scary.
Die Zeit and Der Spiegel reported it.
Great tapas at Bodega de la Ardosa in Madrid!
Pho, bún chả and bánh mì: yum.
The 寿司 at すきやばし次郎 was out of this world.
Her name is 山田花子 and she is from 東京.
Aoife O'Sullivan sang "Óró sé do bheatha abhaile" beautifully.
The sign read "Betreten der Baustelle verboten".
Luis Miguel canta bien, they say.
Bon appétit from Chef Jean-Georges Vongerichten!
love the déjà vu vibe
bonjour mes amis, this is my first review
Great product, muchas gracias!
He answered «на здоровье, дорогие друзья» and smiled at us.
""")
FOREIGN = {
    "ar": lines("كان الطعام باردا وغاليا جدا.\nأنا سعيد جدا بهذا المنتج."),
    "cs": lines("""
Jídlo bylo studené a drahé.
Jsem s výrobkem velmi spokojený.
Petr Pavel navštívil včera Brno.
Tento hotel nikomu nedoporučuji.
"""),
    "de": lines("""
Das Essen war leider kalt.
Die Regierung hat am Montag ein neues Gesetz vorgelegt.
Der Film war furchtbar langweilig.
Gute Qualität, schnelle Lieferung, gerne wieder.
Angela Merkel besuchte gestern Emmanuel Macron in Paris.
Siemens verkauft seine Sparte für Windkraft.
Nie wieder dieses Hotel!
Peter Müller besucht Anna Schmidt
Kanzler Scholz trifft Präsident Macron
Guter Preis, gute Ware
DAS ESSEN WAR LEIDER SEHR KALT
"""),
    "es": lines("""
El servicio fue pésimo y caro.
Muy buena calidad, lo recomiendo.
Pedro Sánchez se reunió con Emmanuel Macron.
La película es muy aburrida.
No me gustó nada el hotel.
Todo perfecto, volveremos sin duda.
"""),
    "fr": lines("""
Le repas était vraiment délicieux.
Emmanuel Macron a rencontré Angela Merkel à Berlin.
Je ne recommande pas cet hôtel.
Très bon produit, livraison rapide.
Quelle mauvaise surprise ce film!
« Nous avons adoré notre séjour. »
"""),
    "ga": lines("""
Tá an aimsir go hálainn inniu.
Bhí an bia fuar agus daor.
Níor thaitin an scannán liom in aon chor.
Rugadh Máire Ní Bhriain i nGaillimh.
Is maith liom an leabhar seo.
"""),
    "hi": lines("खाना ठंडा और महंगा था।\nमुझे यह फिल्म बहुत पसंद आई।"),
    "it": lines("""
Il cibo era freddo e costoso.
Ottimo prodotto, consegna veloce e precisa.
Mario Draghi ha incontrato Olaf Scholz a Roma.
Non comprate mai questo telefono.
Una bella sorpresa per tutti.
"""),
    "ja": lines("この商品はとても良かったです。\n料理が冷たくて高かった。\n二度と行きません"),
    "ko": lines("이 제품에 매우 만족합니다 정말로.\n영화가 정말 너무 지루했어요"),
    "nl": lines("""
Het eten was koud en duur.
Ik ben heel tevreden over dit product.
Mark Rutte sprak met Angela Merkel in Den Haag.
Nooit meer naar dit hotel!
Snelle levering, goede kwaliteit, aanrader.
"""),
    "pl": lines("""
Obsługa była bardzo niemiła.
Jedzenie było zimne i drogie.
Donald Tusk spotkał się z Olafem Scholzem w Berlinie.
Nie polecam tego hotelu nikomu.
Bardzo dobry produkt, szybka dostawa.
Adam Mickiewicz urodził się w Zaosiu.
"""),
    "pt": lines("""
O serviço foi péssimo e demorado.
Gostei muito deste livro novo.
Esta comida estava muito fria.
"""),
    "ru": lines("""
Еда была холодной и дорогой.
Очень доволен этим товаром, рекомендую.
Владимир Путин встретился с Ангелой Меркель.
"""),
    "sv": lines("""
Maten var kall och dyr.
Jag är mycket nöjd med produkten.
Stefan Löfven träffade Angela Merkel i Stockholm.
Rekommenderar inte det här hotellet.
Filmen var fruktansvärt tråkig.
"""),
    "th": lines("อาหารเย็นชืดและแพงมาก\nสินค้าดีมาก ส่งเร็ว"),
    "tr": lines("""
Yemekler soğuk ve çok pahalıydı.
Bu üründen çok memnun kaldım.
Film gerçekten çok sıkıcıydı.
Kimseye tavsiye etmiyorum bu oteli.
"""),
    "zh": lines("""
这家餐厅的服务很差，再也不来了。
质量很好，推荐购买。
电影非常无聊
服务很差
"""),
}


@pytest.mark.parametrize("text", ENGLISH + MIXED)
def test_english_with_foreign_names_and_phrases_passes(text: str) -> None:
    assert CHECK.foreign_language(text) is None


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in FOREIGN.items() for text in texts]
)
def test_texts_in_other_languages_are_foreign(code: str, text: str) -> None:
    found = CHECK.foreign_language(text)
    assert found is not None
    assert found.code == code
    assert LanguageCheck(frozenset(("en", code))).foreign_language(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "123 - 456", "ok", "Angela Merkel", "Das ist gut", "很好", "@das #ist http://ein.de"],
)
def test_too_little_text_is_never_foreign(text: str) -> None:
    assert CHECK.foreign_language(text) is None


def test_english_is_foreign_to_a_model_for_other_languages() -> None:
    text = "The government presented a new law on pensions."
    for known in (("de",), ("ja",), ("zh",), ("ru", "ar")):
        found = LanguageCheck(frozenset(known)).foreign_language(text)
        assert found is not None
        assert found.code == "en"


def test_languages_without_function_words_are_checked_too() -> None:
    check = LanguageCheck(frozenset(("is",)))
    assert check.foreign_language("Maturinn var mjög kaldur og dýr.") is None
    found = check.foreign_language("Das Essen war leider sehr kalt.")
    assert found is not None
    assert found.code == "de"


def test_names_in_capitals_are_no_evidence() -> None:
    assert CHECK.foreign_language("JÜRGEN KLOPP, THOMAS MÜLLER, MANUEL NEUER") is None


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    CHECK.foreign_language(text)


def test_a_document_s_own_words_count(tmp_path: Path) -> None:
    write_languages(tmp_path, ["en", "fr"])
    check = LanguageCheck.read(tmp_path)
    english = "<p>The government presented a new law.</p>"
    assert check.read_document(english, HowToRead()).text == english[3:-4]
    german = "<div lang='en'>Die Regierung hat ein neues Gesetz vorgelegt.</div>"
    with pytest.raises(UsageError, match="The text looks like 'de' .*, not 'en'; this model knows"):
        check.read_document(german, HowToRead())
    assert check.read_document(german, HowToRead(check_language=False)).text.startswith("Die")


def test_declared_language_must_be_known() -> None:
    CHECK.require_known(HowToRead())
    with pytest.raises(UsageError, match="'de' is not supported; this model knows en"):
        CHECK.require_known(HowToRead(language="de"))
