# ruff: noqa: RUF001 - the letters of other alphabets are meant

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp import hyphens
from mesh.nlp.hyphens import joins, suspends

# The bar is the line's end.
CUT = {
    "cs": ("do|prava vlá|da měst|ský"),
    "da": ("København|erne rege|ring by|råd cykel|sti"),
    "de": (
        "Verkehrs|betriebe Straßen|bahn Verkehrs|unternehmen Regie|rung Gesell|schaft "
        "ankom|men zusammen|arbeiten umwelt|freundlich kosten|deckend Bürger|meisterin "
        "Hafen|viertel Fahr|gäste Haltestellen|netz Mün|chen Bundes|amt Kopen|hagen "
        "veröffent|lichen wirt|schaftlich Fahrplan|auskunft Ange|bot Photo|voltaik "
        "Klima|schutz Wohnungs|bau Bau|arbeiten Stadt|bahn Elektro|busse weiter|hin "
        "Tempo|limit Rad|verkehr Innen|stadt wohnungs|politisch Bremer|haven Sach|sen "
        "kilo|meter außer|dem Verspä|tungen Bahn|hof Gleis|anschluss Kreuzungs|bereich "
        "Lärm|schutz Haus|halt Genehmi|gung Ham|burg Düssel|dorf beschleu|nigen "
        "barriere|frei Verkehrs|minister Fußgänger|zone Um|steiger bau|lich "
        "Oberbürger|meister"
    ),
    "en": (
        "trans|port ex|tend thous|and err|or Copen|hagen infor|mation environ|mental "
        "Birming|ham Shef|field gov|ernment through|out every|one under|standing quick|ly "
        "Man|chester develop|ment Reyk|javik passen|gers harb|our rail|ways digi|tisation "
        "INFOR|MATION pub|lic Stock|holm re|pairs neigh|bourhood Liver|pool Green|wich "
        "Black|burn interna|tional re|organisation counter|productive micro|plastics "
        "photo|voltaic over|head work|shop bio|diversity water|front wind|mills "
        "Copenhagen|ers tram|lines bi|cycle mort|gage con|struction appren|ticeship "
        "Edin|burgh sched|ule tim|etable con|gestion pedes|trian sus|tainable munic|ipal "
        "coun|cil Amster|dam afford|able sig|nificant tech|nology elec|trification bud|get"
    ),
    "es": (
        "informa|ción trans|porte gobier|no ayunta|miento Copen|hague desarro|llo "
        "pasa|jeros ciu|dad compra|remos cons|trucción ferro|carril Barce|lona pro|yecto "
        "esta|ción foto|voltaica micro|empresas video|vigilancia elec|tricidad bici|cletas "
        "auto|pista Sala|manca sobre|todo biblio|teca Guadala|jara radio|actividad tran|vía "
        "circu|lación Zara|goza sub|vención presu|puesto eléc|trico apren|dizaje "
        "conce|jales em|presa Mála|ga retra|sos pea|tones estacio|namiento transpor|tistas "
        "alcal|desa anglo|sajón"
    ),
    "fr": (
        "gouverne|ment trans|port infor|mation dévelop|pement Copen|hague envi|ronnement "
        "par|tout éco|nomique munici|palité voya|geurs tram|way l'infor|mation quel|ques "
        "cons|truction régio|nale habi|tants Mar|seille photo|voltaïque micro|plastiques "
        "auto|route biblio|thèque anti|pollution sur|tout Stras|bourg long|temps "
        "élec|tricité boule|vard socié|té vélo|drome chan|tier circu|lation Tou|louse "
        "sta|tionnement véhi|cules sub|vention budgé|taire élec|trique appren|tissage "
        "Gre|noble conseil|lers entre|prise passa|gers déve|lopper"
    ),
    "it": (
        "informa|zione tras|porto gover|no svi|luppo Copena|ghen cit|tadini passeg|geri "
        "costru|zione dell'infor|mazione Mi|lano comu|nale porto|ghese bigliet|teria "
        "auto|strada foto|voltaico micro|plastiche video|sorveglianza elet|tricità "
        "bici|clette auto|bus Bolo|gna sopra|tutto biblio|teca auto|mobilisti "
        "metro|politana circo|lazione To|rino finan|ziamento bilan|cio elet|trico "
        "appren|distato consi|glieri im|presa ritar|di pedo|nale par|cheggio Ve|nezia "
        "sinda|ca tran|vieri anglo|sassone"
    ),
    "nl": (
        "rege|ring verkeers|bedrijf informa|tie Kopen|hagen gemeente|raad tram|lijn "
        "haven|gebied reizi|gers ontwikke|ling Amster|dam open|baar samen|werking "
        "onder|zoek foto|voltaïsch water|schap fiets|pad Rotter|dam klimaat|beleid "
        "voor|zitter uit|breiding weg|werkzaamheden stad|huis spits|uur ver|traging "
        "begro|ting voet|gangers Eind|hoven elek|trisch wet|houders be|drijf par|keren "
        "Gro|ningen sub|sidie tram|bestuurder haven|bedrijf spoor|wegen"
    ),
    "pl": (
        "infor|macja Kopen|haga tram|waj pasa|żerowie przed|siębiorstwo War|szawa samo|rząd "
        "rozbu|dowa miesz|kańcy opóź|nienie bu|dżet pie|si Kra|ków gmi|na"
    ),
    "pt": (
        "informa|ção trans|porte gover|no desenvolvi|mento Cope|nhaga passa|geiros "
        "cons|trução Lis|boa cida|de prefei|tura comprás|semos ferro|viária guarda|napo "
        "foto|voltaica micro|plásticos video|vigilância elec|tricidade bici|cletas "
        "auto|carro Coim|bra sobre|tudo biblio|teca rodo|viária auto|estrada circu|lação "
        "Bra|ga finan|ciamento orça|mento elé|trico apren|dizagem verea|dores em|presa "
        "atra|sos pe|ões estacio|namento trans|portadora cami|nhões"
    ),
    "ru": (
        "прави|тельство инфор|мация Копен|гаген транс|порт при|городный разви|тие "
        "город|ской желез|ная Мос|ква пасса|жиры удиви|тельный само|стоятельный "
        "много|численные авто|мобиль электро|станция пере|ход вод|оворот над|пись "
        "Петер|бург пра|вило желе|зо транс|портный метро|политен движе|ние бюд|жет "
        "пешехо|ды Ка|зань элект|рический депу|таты пред|приятие опозда|ние стоян|ка "
        "субси|дия"
    ),
    "sv": (
        "rege|ring Köpen|hamn spår|vagn informa|tion trafik|verket resenä|rer utveck|ling "
        "Stock|holm hållplat|sen förse|ning bud|get fot|gängare Göte|borg kom|mun"
    ),
}
OWN = {
    "cs": ("česko|německý"),
    "da": ("ind|og"),
    "de": (
        "Nord|und Müller|Straße deutsch|französisch Ein|und Online|Shop Nordrhein|Westfalen "
        "Vor|oder E|Mail wissenschaftlich|technisch sozial|ökologisch Rhein|Main "
        "CO2|neutral Bus|sowie Bau|bzw Baden|Württemberg S|Bahn Sonn|und "
        "öffentlich|rechtlich Schleswig|Holstein politisch|wirtschaftlich Hin|und "
        "Frankreich|Reise GPS|gestützt Ex|Minister Wirtschafts|und Ein|bis "
        "Berlin|Brandenburg deutsch|polnisch Bahn|sowie Goethe|Universität 50|jährig "
        "links|und FDP|nah technisch|wissenschaftlich"
    ),
    "en": (
        "well|known long|term mother|in decision|making twenty|five Smith|Jones 2019|2020 "
        "DNA|based Berlin|based ex|minister self|service sci|fi short|and t|shirt "
        "high|speed state-of-the|art cost|effective user|friendly iPhone|like full|time "
        "so|called pre|or Anglo|American mother|in-law high|quality low|cost "
        "forward|looking co|owner part|time ten|year carbon|neutral Paris|based and|or "
        "ice|cream vice|president Austro|Hungarian UN|led e|commerce hi|fi open|source "
        "year|old large|scale day|to-day five|year father|in-law state|owned Anglo|Saxon "
        "zero|emission left|wing face|to-face London|bound full|scale real|time non|EU "
        "up|to-date"
    ),
    "es": (
        "teórico|práctico ex|presidente franco|alemán Madrid|Barcelona 2010|2015 "
        "físico|químico socio|económico ex|alcalde austro|húngaro Castilla|León "
        "técnico|administrativo histórico|artístico ex|ministra hispano|francés"
    ),
    "fr": (
        "grand|mère rendez|vous peut|être est|il dix|sept celui|ci franco|allemand lui|même "
        "Saint|Denis avant|garde ex|ministre là|bas donnez|moi socio|économique "
        "quatre|vingt c'est-à|dire vingt|deux porte|parole sud|est après|midi demi|heure "
        "vient|il Haute|Savoie austro|hongrois allons|y elle|même chef|d'œuvre arc|en-ciel "
        "parle|t-il mi|temps porte|monnaie anglo|saxon Jean|Pierre nord|africain eux|mêmes "
        "trente|quatre vice|président dit|on haut|parleur week|end"
    ),
    "it": (
        "italo|francese socio|economico ex|ministro Emilia|Romagna vice|presidente "
        "tecnico|scientifico anglo|americano ex|sindaco austro|ungarico storico|artistico "
        "Friuli|Venezia politico|economico Trentino|Alto"
    ),
    "nl": (
        "voor|en Noord|Holland Nederlands|Duits ex|minister kant|en-klaar in|of "
        "Midden|Oosten niet|roker bus|en 2020|2021 Zuid|Holland ex|premier in|en "
        "oud|burgemeester Noord|Brabant op|en Frans|Duits"
    ),
    "pl": (
        "polsko|niemiecki Bielsko|Biała czesko|słowacki Kujawsko|Pomorskie 2001|2002 "
        "angielsko|polski Warszawa|Praga"
    ),
    "pt": (
        "disse|lhe guarda|chuva segunda|feira bem|vindo ex|presidente tornou|se "
        "luso|brasileiro recém|nascido fazê|lo sul|americano Trás|os vice|presidente "
        "pós|guerra diz|se primeiro|ministro couve|flor ex|prefeito político|económico "
        "fim-de|semana deu|me meio|dia vice|prefeito luso|espanhol quinta|feira fá|lo "
        "dar|lhe arco|íris anglo|saxão"
    ),
    "ru": (
        "кто|то из|за по|русски русско|английский что|нибудь Санкт|Петербург "
        "научно|технический кое|как все|таки Нью|Йорк северо|восточный чёрно|белый какой|то "
        "англо|русский из|под северно|западный вице|президент давай|ка как|нибудь "
        "франко|русский по|английски куда|то Ростов|Дон"
    ),
    "sv": ("in|och Sveriges|Radio på|eller 2018|2019 EU|medel SVT|chefen ut|och Malmö|Lund"),
}


def _joined(words: str, language: str) -> dict[str, bool]:
    parts = [word.split("|") for word in words.split()]
    return {f"{a}-{b}": joins(a, b, language, frozenset()) for a, b in parts}


@pytest.mark.parametrize("language", sorted(CUT))
def test_a_cut_word_is_joined_and_a_hyphen_of_its_own_stays(language: str):
    cut, own = _joined(CUT[language], language), _joined(OWN[language], language)

    assert [word for word, is_joined in cut.items() if not is_joined] == []
    assert [word for word, is_joined in own.items() if is_joined] == []


@pytest.mark.parametrize(
    ("before", "after", "language", "word"),
    [
        ("long", "term", "en", "longterm"),
        ("grand", "mère", "fr", "grandmère"),
        ("teórico", "práctico", "es", "teóricopráctico"),
        ("polsko", "niemiecki", "pl", "polskoniemiecki"),
        ("deutsch", "französisch", "de", "deutschfranzösisch"),
    ],
)
def test_the_document_s_other_words_decide_to_join(before, after, language, word):
    assert not joins(before, after, language, frozenset())
    assert joins(before, after, language, frozenset((word,)))


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("co", "operate", "en"),
        ("Verkehrs", "betriebe", "de"),
        ("micro", "plastiques", "fr"),
        ("auto", "pista", "es"),
        ("rege", "ring", "sv"),
    ],
)
def test_the_document_s_other_words_decide_not_to_join(before, after, language):
    assert joins(before, after, language, frozenset())
    assert not joins(before, after, language, frozenset((f"{before}-{after}".lower(),)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "port"),
        ("trans", ""),
        ("2019", "2020"),
        ("CO2", "neutral"),
        ("trans", "-port"),
        ("trans", "Port"),
        ("iPhone", "like"),
        ("EU", "weit"),
        ("a_", "b"),
    ],
)
@pytest.mark.parametrize("language", ["en", "de", "sv", "xx"])
def test_what_cannot_be_one_word_is_not_joined(before: str, after: str, language: str):
    assert not joins(before, after, language, frozenset((f"{before}{after}".lower(),)))


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [("कार्य", "क्रम", "hi"), ("საქარ", "თველო", "ka"), ("ירו", "שלים", "he")],
)
def test_scripts_without_case_are_joined(before: str, after: str, language: str):
    assert joins(before, after, language, frozenset())


@pytest.mark.parametrize(
    ("before", "after", "language"),
    [
        ("l’infor", "mation", "fr"),
        ("govern", "ment’s", "en"),
        ("long-stand", "ing", "en"),
        ("infor", "mation-based", "en"),
        ("dell'infor", "mazione", "it"),
    ],
)
def test_only_the_parts_at_the_hyphen_count(before: str, after: str, language: str):
    assert joins(before, after, language, frozenset())


@pytest.mark.parametrize(
    ("after", "language"),
    [
        ("and", "en"),
        ("und", "de"),
        ("ou", "fr"),
        ("y", "es"),
        ("en", "nl"),
        ("och", "sv"),
        ("и", "ru"),
    ],
)
def test_a_conjunction_follows_a_suspended_word(after: str, language: str):
    assert suspends(after, language)
    assert not suspends("port", language)
    assert not suspends(after, "xx")


def test_no_list_of_words_is_read_where_the_document_decides(monkeypatch: pytest.MonkeyPatch):
    def fail(language: str) -> None:
        raise AssertionError(language)

    monkeypatch.setattr(hyphens, "word_list", fail)

    assert joins("trans", "port", "en", frozenset(("transport",)))
    assert not joins("trans", "port", "en", frozenset(("trans-port",)))
    assert not joins("Trans", "Port", "en", frozenset())
    assert joins("rege", "ring", "sv", frozenset())


@given(
    before=st.text(max_size=8), after=st.text(max_size=8), language=st.sampled_from(("en", "sv"))
)
def test_the_document_outranks_every_rule(before: str, after: str, language: str):
    hyphened = frozenset((f"{before}-{after}".lower(),))

    assert not joins(before, after, language, hyphened)
