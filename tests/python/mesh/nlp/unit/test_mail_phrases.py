# ruff: noqa: RUF001 - the letters of other alphabets are meant

import pytest

from mesh.nlp.mail import is_greeting, kinds

GREETINGS = {
    "en": (
        "Dear Mr Lee,|Dear Sir,|Dear Sir or Madam,|Dear all|Hi there,|Hey Tom,|"
        "Hi Tom and Ann,|Good afternoon, Tom,|Ladies and gentlemen,|Hello everyone,|"
        "Hi @Tom,|Dear Hiring Manager,|Dear Prof. Lee,|Dear Dr. Lee,|Morning all,|"
        "Dear customer,|Hi, Tom|Dear friends and colleagues of the harbour line,|Hi team!|"
        "Greetings,|My dear Ann,|Dearest Ann,"
    ),
    "de": (
        "Sehr geehrter Herr Dr. Müller,|Liebe Frau Schmidt,|Lieber Jan,|"
        "Hallo Frau Müller,|Hi Jan,|Guten Morgen,|Moin Jan,|Liebes Team,|"
        "Sehr geehrte Frau Müller, sehr geehrter Herr Roth,|Liebe alle,|Servus Jan,|"
        "Grüezi Frau Meier|Hallo ihr Lieben,|Sehr geehrtes Team,|Liebe Eltern,|"
        "Werte Kunden,"
    ),
    "fr": (
        "Bonjour Madame,|Bonjour Paul,|Cher Paul,|Chers collègues,|Chère Anne,|Monsieur,|"
        "Madame la Directrice,|Salut Paul,|Bonsoir,|Bonjour à toutes et à tous,|"
        "Monsieur le Maire,|Coucou Anne,|Mesdames, Messieurs,|Chers tous,"
    ),
    "es": (
        "Estimada señora López:|Estimados señores:|Querido Luis:|Hola, Luis:|"
        "Hola a todos,|Buenos días:|Buenas tardes, Ana:|Apreciada clienta:|"
        "Distinguida señora:|Hola Luis,|Muy señor mío:|Buenas,"
    ),
    "it": (
        "Gentile Signora Rossi,|Gentili colleghi,|Egregio dottore,|Ciao Paolo,|Cara Anna,|"
        "Cari tutti,|Buongiorno Paolo,|Spett.le Ditta,|Salve,|Buonasera,|Carissimo Paolo,|"
        "Gent.mo dott. Russo,|Stimato professore,"
    ),
    "pt": (
        "Prezada Ana,|Prezados senhores,|Caro Rui,|Cara Ana,|Olá, Ana!|Oi Rui,|"
        "Bom dia, Rui,|Boa tarde,|Exmo. Senhor,|Ex.mo Senhor,|Estimado Rui,|Querida Ana,|"
        "Olá a todos,"
    ),
    "nl": (
        "Geachte heer De Vries,|Geachte mevrouw Bakker,|Beste collega's,|Beste Piet,|"
        "Hallo Piet,|Hoi Anna,|Lieve Anna,|Dag Piet,|Goedemiddag,|Goedendag,|"
        "Geachte heer/mevrouw,|Beste allemaal,"
    ),
    "sv": (
        "Hej Anna!|Hej alla,|Bästa kund,|Kära Anna,|God dag,|Hejsan Per,|Hallå,|"
        "Tjena Per,|Hej på er,|Kære Anna,|Hei Anna,"
    ),
    "pl": (
        "Szanowny Panie,|Szanowna Pani,|Szanowni Państwo,|Dzień dobry,|Drogi Piotrze,|"
        "Droga Anno,|Cześć Piotr!|Witam,|Drodzy koledzy,|Hej Anna,|"
        "Szanowny Panie Dyrektorze,|Witam Pana,"
    ),
}
CLOSINGS = {
    "en": (
        "Best regards,|Kind regards,|Warm regards,|Best,|All the best,|Sincerely,|"
        "Yours sincerely,|Yours faithfully,|Yours truly,|Many thanks,|Thanks,|Thank you,|"
        "Cheers,|With best wishes,|Best wishes,|Regards,|With kind regards,|Warmly,|"
        "Take care,|Respectfully,|Talk soon,|See you soon,|Thanks and regards,|"
        "With gratitude,|Thanks in advance,"
    ),
    "de": (
        "Mit freundlichen Grüßen|Mit freundlichem Gruß|Viele Grüße|Liebe Grüße|"
        "Beste Grüße|Herzliche Grüße|Freundliche Grüße|Mit besten Grüßen|Schöne Grüße|"
        "Hochachtungsvoll|Mit herzlichen Grüßen|MfG|LG|VG|Gruß|Grüße|Bis bald|Herzlichst|"
        "Ihr|Mit freundlichen Gruessen|Freundliche Grüsse|Viele liebe Grüße|"
        "Danke und viele Grüße|Vielen Dank|Alles Gute"
    ),
    "fr": (
        "Cordialement,|Bien cordialement,|Très cordialement|Bien à vous,|Amicalement,|"
        "Sincères salutations,|Salutations distinguées|Meilleures salutations|"
        "Cordiales salutations|"
        "Je vous prie d'agréer, Madame, l'expression de mes salutations distinguées.|"
        "Veuillez agréer, Monsieur, mes salutations respectueuses.|À bientôt,|Bises|"
        "Bonne journée,|Merci d'avance,|Avec mes remerciements,|Respectueusement,|"
        "Bien amicalement|Merci"
    ),
    "es": (
        "Saludos,|Saludos cordiales,|Un saludo,|Un cordial saludo,|Atentamente,|"
        "Muy atentamente|Un abrazo,|Reciba un cordial saludo,|Cordialmente,|Gracias,|"
        "Muchas gracias,|Un fuerte abrazo|Saludos y gracias|Le saluda atentamente,|"
        "Quedo a su disposición,|Hasta pronto,|Besos"
    ),
    "it": (
        "Cordiali saluti,|Distinti saluti|Cari saluti|Un caro saluto|Saluti|Un saluto|"
        "Grazie,|Grazie mille|A presto,|Cordialmente|Un abbraccio|I migliori saluti|"
        "Con i migliori saluti|Tanti saluti|In fede|Un cordiale saluto|"
        "Ringraziando, porgo cordiali saluti"
    ),
    "pt": (
        "Atenciosamente,|Cumprimentos,|Com os melhores cumprimentos,|"
        "Melhores cumprimentos|Um abraço,|Abraços,|Obrigado,|Obrigada,|Cordialmente,|"
        "Saudações,|Att.,|Att,|Com cumprimentos|Beijinhos|Muito obrigado,|Respeitosamente|"
        "Até breve"
    ),
    "nl": (
        "Met vriendelijke groet,|Met vriendelijke groeten|Vriendelijke groet|"
        "Hartelijke groet,|Groeten,|Groet,|Groetjes|Hoogachtend,|Bedankt,|Alvast bedankt,|"
        "Met hartelijke groet|Mvg|Liefs|Tot snel|Beste groeten|Dank je wel"
    ),
    "sv": (
        "Med vänliga hälsningar,|Vänliga hälsningar|Vänlig hälsning|Hälsningar|"
        "Bästa hälsningar|Mvh|Med vänlig hälsning|Tack på förhand|Tack|Kram|"
        "Hjärtliga hälsningar|Varma hälsningar|Vi ses|Venlig hilsen|Med venlig hilsen|"
        "Mange hilsner|Bedste hilsner|Hilsen|Kærlig hilsen|Vennlig hilsen"
    ),
    "pl": (
        "Z poważaniem|Z poważaniem,|Pozdrawiam,|Pozdrawiam serdecznie|"
        "Serdecznie pozdrawiam|Serdeczne pozdrowienia|Z wyrazami szacunku|"
        "Łączę pozdrowienia|Z pozdrowieniami|Dziękuję|Pozdrowienia|Z góry dziękuję|"
        "Do zobaczenia"
    ),
    "ru": (
        "С уважением,|С наилучшими пожеланиями|Всего доброго|Best regards, Anna|"
        "Viele Grüße Anna|Thanks, Bob|Cordialement, Anne Leroy"
    ),
}
NO_CLOSINGS = [
    "Best of all, the line is free.",
    "Love is a river",
    "Thanks to the council the line is open",
    "Tack vare regnet kom bussen sent",
    "Merci de répondre avant vendredi",
    "Gracias a todos",
    "Grazie al sindaco",
    "Yours is the third letter",
    "Ihr Auto steht im Hafen",
    "Best value in town",
    "Cheers went up",
    "Regards were sent",
    "Saludos de Madrid",
    "Obrigado pelo livro que você enviou",
    "Danke für die Hilfe",
    "Groeten uit Leiden",
]


@pytest.mark.parametrize("language", GREETINGS)
def test_greetings(language: str):
    greetings = GREETINGS[language].split("|")

    assert [line for line in greetings if not is_greeting(line)] == []


@pytest.mark.parametrize("language", CLOSINGS)
def test_closings(language: str):
    closings = CLOSINGS[language].split("|")
    mails = [["Dear Ann,", "", "the tram is late.", "", line, "Bob Ray"] for line in closings]

    found = [[i for i, kind in kinds(mail).items() if kind == "signature"] for mail in mails]

    assert [line for line, rows in zip(closings, found, strict=True) if rows != [4, 5]] == []


@pytest.mark.parametrize("line", NO_CLOSINGS)
def test_no_closings(line: str):
    assert kinds(["The harbour line opens in May.", "", line, "The council said so."]) == {}


@pytest.mark.parametrize(
    "line",
    [
        "Dear Ann, the tram is late.",
        "Hi Ann! The tram is late.",
        "Hello river is what they said to him",
        "Hide,",
        "Dearly,",
        "Hallo Anna, der Zug ist weg.",
        "Liebe Anna, wir kommen später an",
        "Dagmar,",
        "Bonjour, je suis en retard",
        "Hola, ¿qué tal todo?",
        "Carolina,",
    ],
)
def test_no_greetings(line: str):
    assert not is_greeting(line)
