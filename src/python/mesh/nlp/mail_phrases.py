"""The phrases by which the parts of a mail are known, in the languages of Europe.

Typographic apostrophes are expected to be plain ones.
"""

# ruff: noqa: RUF001 - the letters of other alphabets are meant

import re

_FROM = "from|von|de|da|van|från|fra|od|lähettäjä|от|от кого"
_TO = "to|an|à|a|para|per|aan|till|til|do|кому"
_SUBJECT = "subject|betreff|betr|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|тема"
_SENT = (
    "sent|gesendet|envoyé|envoyé le|enviado|enviado el|inviato|enviada|enviada em|verzonden|"
    "skickat|sendt|wysłano|отправлено"
)
_MORE = (
    "date|datum|fecha|data|dato|дата|cc|bcc|cci|cco|ccn|kopie|kopia|"
    "copie|copia|dw|udw|копия|reply-to|antwort an|"
    "répondre à|importance|priority|priorität|wichtigkeit|attachments?|"
    "anlagen?|pièces jointes|adjuntos|allegati|"
    "anexos|bijlagen|bilagor|załączniki|message-id|in-reply-to|references|"
    "mime-version|content-[a-z-]+|x-[a-z-]+|"
    "return-path|received|delivered-to|organi[sz]ation|user-agent|list-[a-z-]+|thread-[a-z]+"
)
HEADER = re.compile(
    rf"[*_]*(?:(?P<sender>{_FROM})|(?P<recipient>{_TO})|(?P<subject>{_SUBJECT})|(?P<sent>{_SENT})|(?P<more>{_MORE}))"
    r"[*_]*\s?:[*_]*(?=\s|$)",
    re.IGNORECASE,
)

_GREETING_WORDS = (
    r"dear|hi|hello|hey|greetings|good (?:morning|afternoon|evening|day)|to whom it may concern|"
    r"sehr geehrte[rsn]?|sehr verehrte[rsn]?|liebe[rsn]?|hallo|guten (?:tag|"
    r"morgen|abend)|grüß gott|moin|werte[rsn]?|"
    r"bonjour|bonsoir|chère?s?|salut|(?:madame|monsieur|mesdames|messieurs)(?=,|$)|"
    r"estimad[oa]s?|querid[oa]s?|hola|buen[oa]s (?:días|tardes|noches)|"
    r"apreciad[oa]s?|muy señor(?:a|es)? (?:mío|mía|míos)|"
    r"gentil[ei](?:ssim[oaie])?|egregi[oa]?|car[oaie]|cariss?im[oaie]|"
    r"buongiorno|buonasera|salve|ciao|spett\.?(?:le|li)?|"
    r"prezad[oa]s?|car[oa]s?|olá|oi|bom dia|boa tarde|boa noite|exm[oa]s?\.?|excelentíssim[oa]s?|"
    r"beste|geachte|lieve|goede(?:morgen|middag|navond|dag)|goede (?:morgen|middag|avond)|dag|"
    r"hej|hejsan|bästa|kära|käre|god (?:morgon|dag|kväll)|hei|kjære|kære|"
    r"szanown[iyea]|dzień dobry|dobry wieczór|drog[iae]|cześć|witam|witaj(?:cie)?|"
    r"vážen[ýáí]|dobrý den|ahoj|hyvä|kedves|tisztelt|bună|stimat[ăeăi]|sayın|merhaba|"
    r"уважаем(?:ый|ая|ые)|дорог(?:ой|ая|ие)|здравствуйте|добрый (?:день|"
    r"вечер)|привет|шановн(?:ий|а|і)"
)
GREETING = re.compile(rf"(?:{_GREETING_WORDS})(?![\w'-])(?P<rest>.*)", re.IGNORECASE)

_REGARDS = (
    r"(?:(?:with|my|our) )?(?:best|kind(?:est)?|warm(?:est)?|many|friendly|"
    r"sincere) (?:regards|wishes|greetings|thanks)"
    r"(?: and thanks)?|best wishes from .{1,30}|regards|yours (?:sincerely|"
    r"faithfully|truly)|sincerely(?: yours)?|"
    r"(?:very )?respectfully(?: yours)?|all the best|with (?:many )?thanks|"
    r"thanks and (?:best |kind )?regards|"
    r"(?:mit )?(?:(?:freundliche[nm]?|beste[nm]?|herzliche[nm]?|viele[nm]?|"
    r"liebe[nm]?|schöne[nm]?|sonnige[nm]?) )+(?:gr(?:ü|ue)(?:ß|ss)(?:en|"
    r"e)?)"
    r"(?: (?:aus|von) \S+(?: \S+)?)?|hochachtungsvoll|mfg|vg|lg|gruß|grüße|"
    r"(?:bien |très )?(?:cordialement|amicalement|sincèrement)(?: vôtre)?|"
    r"(?:meilleures|sincères|cordiales) salutations|bien à (?:vous|"
    r"toi)|"
    r"(?:veuillez|je vous prie|nous vous prions|recevez).{3,120}(?:salutations|"
    r"sentiments|considération)(?: \w+)?|"
    r"(?:un )?(?:cordial(?:es)? |atentos? |muchos )?saludos?(?: cordial(?:es)?|"
    r" atentos?)?|(?:muy )?atentamente|(?:un )?(?:fuerte )?abrazos?|"
    r"(?:cordiali|distinti|cari|i migliori|tanti) saluti|cordialmente|"
    r"un caro saluto|un cordiale saluto|saluti|"
    r"(?:muito )?atenciosamente|atentamente|(?:com os )?(?:melhores|"
    r"meus) cumprimentos|cumprimentos|abraços?|"
    r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|hoogachtend|groet(?:en|jes)?|mvg|"
    r"(?:med )?(?:vänlig(?:a)?|bästa|hjärtliga) hälsning(?:ar)?|hälsningar|"
    r"mvh|(?:med )?(?:venlig|vennlig) hilsen|hilsen|"
    r"z (?:poważaniem|wyrazami szacunku)|(?:serdecznie |z )?pozdrawiam(?: serdecznie)?|"
    r"(?:serdeczne )?pozdrowienia|(?:z )?pozdrowieniami|"
    r"s pozdravem|üdvözlettel|ystävällisin terveisin|cu stimă|saygılarımla|"
    r"с уважением|с наилучшими пожеланиями|з повагою"
)
_THANKS = (
    r"(?:many |kind )?thanks(?: again| a lot| in advance| so much)?|"
    r"thank you(?: very much| in advance)?|cheers|best|yours|(?:lots of |"
    r"much )?love|take care|"
    r"danke(?: und .{1,30})?|vielen dank|merci(?: d'avance| beaucoup)?|"
    r"gracias|grazie(?: mille)?|obrigad[oa]|(?:alvast )?bedankt|tack|"
    r"dziękuję|спасибо"
)
CLOSING = re.compile(
    rf"(?:(?P<formal>{_REGARDS})|{_THANKS})(?![\w'-])"
    r"(?:[ ,]+(?P<name>[^\s,.!?]+(?: [^\s,.!?]+){0,2}))?\s*[,.!–-]*$",
    re.IGNORECASE,
)
SENT_FROM = re.compile(
    r"(?:sent from (?:my|outlook|yahoo|mail for|proton)|get outlook for|télécharger outlook|"
    r"(?:von meinem|gesendet von|gesendet mit)|"
    r"envoyé (?:de(?:puis)?|à partir de) (?:mon|ma|outlook)|enviado desde mi|"
    r"inviato da(?:l mio)?|enviado d[oe] meu|"
    r"verzonden (?:vanaf|met|via) mijn|skickat från min|wysłan[oe] z |"
    r"sendt fra min|отправлено с )\b.{0,60}$|"
    r"von meinem .{2,30} gesendet\.?$",
    re.IGNORECASE,
)
DISCLAIMER = re.compile(
    r"\b(?:confidential|privileged|intended (?:only|solely)|unsubscribe|"
    r"consider the environment|vertraulich|rechtlich geschützt|"
    r"confidentiel|confidencial|riservat[oae]|vertrouwelijk|konfidentiell|"
    r"poufn[aey]|конфиденциальн)",
    re.IGNORECASE,
)
POSTSCRIPT = re.compile(r"p\.?\s?s\.?\s?[:.)–-]?\s", re.IGNORECASE)

ATTRIBUTION = re.compile(
    r"(?:on|am|le|el|il|em|op|den|dnia|w dniu|il giorno|at|pe|dne|в)\b.{6,}"
    r"\b(?:wrote|schrieb|geschrieben|a écrit|escribió|escribio|ha scritto|escreveu|"
    r"schreef|skrev|napisał(?:\(?a\)?)?|pisze|napsal|írta|написал(?:\(?а\)?)?)"
    r"\b.{0,80}:$|.{2,80}<\S+@\S+> (?:wrote|schrieb|skrev|schreef|napisał(?:\(?a\)?)?|"
    r"escribió|escreveu|a écrit|ha scritto)\b.{0,60}:$|"
    r".{2,60} (?:wrote on|schrieb am|hat am|skrev den|schreef op|escribió el|a écrit le|ha scritto il) .{4,60}:$",
    re.IGNORECASE,
)
ORIGINAL = re.compile(
    r"-{3,}\s?(?:original (?:message|appointment)|forwarded (?:message|"
    r"by .{1,60})|ursprüngliche nachricht|original-?nachricht|weitergeleitete nachricht|"
    r"message (?:d'origine|original|transféré)|mensaje (?:original|"
    r"reenviado)|messaggio (?:originale|inoltrato)|"
    r"mensagem (?:original|encaminhada)|oorspronkelijk bericht|doorgestuurd bericht|"
    r"ursprungligt meddelande|"
    r"oprindelig meddelelse|opprinnelig melding|(?:oryginalna|wiadomość) (?:wiadomość|"
    r"oryginalna)|исходное сообщение)\s?-{3,}$|"
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|"
    r"début du message (?:réexpédié|transféré)|"
    r"inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht):?$",
    re.IGNORECASE,
)
