"""The lines of a mail that aren't its message: header, greeting, signature, quoted mails."""

import re
from collections.abc import Sequence

from mesh.nlp.blocks import BlockKind

_FROM = "from|von|de|da|van|från|fra|od|lähettäjä|от|от кого"
_TO = "to|an|à|a|para|per|aan|till|til|do|кому"
_SUBJECT = "subject|betreff|betr|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|тема"
_SENT = "sent|gesendet|envoyé|envoyé le|enviado|enviado el|inviato|enviada|enviada em|verzonden|skickat|sendt|wysłano|отправлено"
_MORE = (
    "date|datum|fecha|data|dato|дата|cc|bcc|cci|cco|ccn|kopie|kopia|copie|copia|dw|udw|копия|reply-to|antwort an|"
    "répondre à|importance|priority|priorität|wichtigkeit|attachments?|anlagen?|pièces jointes|adjuntos|allegati|"
    "anexos|bijlagen|bilagor|załączniki|message-id|in-reply-to|references|mime-version|content-[a-z-]+|x-[a-z-]+|"
    "return-path|received|delivered-to|organi[sz]ation|user-agent|list-[a-z-]+|thread-[a-z]+"
)
_HEADER = re.compile(
    rf"[*_]*(?:(?P<sender>{_FROM})|(?P<recipient>{_TO})|(?P<subject>{_SUBJECT})|(?P<sent>{_SENT})|(?P<more>{_MORE}))"
    r"[*_]*\s?:[*_]*(?=\s|$)",
    re.IGNORECASE,
)

_GREETING_WORDS = (
    r"dear|hi|hello|hey|greetings|good (?:morning|afternoon|evening|day)|to whom it may concern|"
    r"sehr geehrte[rsn]?|sehr verehrte[rsn]?|liebe[rsn]?|hallo|guten (?:tag|morgen|abend)|grüß gott|moin|werte[rsn]?|"
    r"bonjour|bonsoir|chère?s?|salut|(?:madame|monsieur|mesdames|messieurs)(?=,|$)|"
    r"estimad[oa]s?|querid[oa]s?|hola|buen[oa]s (?:días|tardes|noches)|apreciad[oa]s?|muy señor(?:a|es)? (?:mío|mía|míos)|"
    r"gentil[ei](?:ssim[oaie])?|egregi[oa]?|car[oaie]|cariss?im[oaie]|buongiorno|buonasera|salve|ciao|spett\.?(?:le|li)?|"
    r"prezad[oa]s?|car[oa]s?|olá|oi|bom dia|boa tarde|boa noite|exm[oa]s?\.?|excelentíssim[oa]s?|"
    r"beste|geachte|lieve|goede(?:morgen|middag|navond|dag)|goede (?:morgen|middag|avond)|dag|"
    r"hej|hejsan|bästa|kära|käre|god (?:morgon|dag|kväll)|hei|kjære|kære|"
    r"szanown[iyea]|dzień dobry|dobry wieczór|drog[iae]|cześć|witam|witaj(?:cie)?|"
    r"vážen[ýáí]|dobrý den|ahoj|hyvä|kedves|tisztelt|bună|stimat[ăeăi]|sayın|merhaba|"
    r"уважаем(?:ый|ая|ые)|дорог(?:ой|ая|ие)|здравствуйте|добрый (?:день|вечер)|привет|шановн(?:ий|а|і)"
)
_GREETING = re.compile(rf"(?:{_GREETING_WORDS})(?![\w'’-])(?P<rest>.*)", re.IGNORECASE)
_GREETED_END = re.compile(r"\s*[,!:;.…–—-]*$")
_CONJUNCTIONS = frozenset("and und et y e en och og i и & / et".split())

_REGARDS = (
    r"(?:(?:with|my|our) )?(?:best|kind(?:est)?|warm(?:est)?|many|friendly|sincere) (?:regards|wishes|greetings|thanks)"
    r"(?: and thanks)?|best wishes from .{1,30}|regards|yours (?:sincerely|faithfully|truly)|sincerely(?: yours)?|"
    r"(?:very )?respectfully(?: yours)?|all the best|with (?:many )?thanks|thanks and (?:best |kind )?regards|"
    r"(?:mit )?(?:(?:freundliche[nm]?|beste[nm]?|herzliche[nm]?|viele[nm]?|liebe[nm]?|schöne[nm]?|sonnige[nm]?) )+(?:gr(?:ü|ue)(?:ß|ss)(?:en|e)?)"
    r"(?: (?:aus|von) .{1,30})?|hochachtungsvoll|mfg|vg|lg|gruß|grüße|"
    r"(?:bien |très )?(?:cordialement|amicalement|sincèrement)(?: vôtre)?|(?:meilleures|sincères|cordiales) salutations|bien à (?:vous|toi)|"
    r"(?:veuillez|je vous prie|nous vous prions|recevez).{3,120}(?:salutations|sentiments|considération)(?: \w+)?|"
    r"(?:un )?(?:cordial(?:es)? |atentos? |muchos )?saludos?(?: cordial(?:es)?| atentos?)?|(?:muy )?atentamente|(?:un )?(?:fuerte )?abrazos?|"
    r"(?:cordiali|distinti|cari|i migliori|tanti) saluti|cordialmente|un caro saluto|un cordiale saluto|saluti|"
    r"(?:muito )?atenciosamente|atentamente|(?:com os )?(?:melhores|meus) cumprimentos|cumprimentos|abraços?|"
    r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|hoogachtend|groet(?:en|jes)?|mvg|"
    r"(?:med )?(?:vänlig(?:a)?|bästa|hjärtliga) hälsning(?:ar)?|hälsningar|mvh|(?:med )?(?:venlig|vennlig) hilsen|hilsen|"
    r"z (?:poważaniem|wyrazami szacunku)|(?:serdecznie |z )?pozdrawiam(?: serdecznie)?|(?:serdeczne )?pozdrowienia|(?:z )?pozdrowieniami|"
    r"s pozdravem|üdvözlettel|ystävällisin terveisin|cu stimă|saygılarımla|с уважением|с наилучшими пожеланиями|з повагою"
)
_THANKS = (
    r"(?:many |kind )?thanks(?: again| a lot| in advance| so much)?|thank you(?: very much| in advance)?|cheers|best|yours|(?:lots of |much )?love|take care|"
    r"danke(?: und .{1,30})?|vielen dank|merci(?: d'avance| beaucoup)?|gracias|grazie(?: mille)?|obrigad[oa]|(?:alvast )?bedankt|tack|dziękuję|спасибо"
)
_CLOSING = re.compile(
    rf"(?:(?P<formal>{_REGARDS})|{_THANKS})(?![\w'’-])(?P<name>[ ,]+[^\W\d_a-zß-ÿ][^\s,.!?]*(?: [^\s,.!?]+){{0,2}})?\s*[,.!–-]*$",
    re.IGNORECASE,
)
_SENT_FROM = re.compile(
    r"(?:sent from (?:my|outlook|yahoo|mail for|proton)|get outlook for|(?:von meinem|gesendet von|gesendet mit)|"
    r"envoyé (?:de(?:puis)?|à partir de) (?:mon|ma|outlook)|enviado desde mi|inviato da(?:l mio)?|enviado d[oe] meu|"
    r"verzonden (?:vanaf|met|via) mijn|skickat från min|wysłan[oe] z |sendt fra min|отправлено с )\b.{0,60}$|"
    r"von meinem .{2,30} gesendet\.?$",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"\b(?:confidential|privileged|intended (?:only|solely)|unsubscribe|consider the environment|vertraulich|rechtlich geschützt|"
    r"confidentiel|confidencial|riservat[oae]|vertrouwelijk|konfidentiell|poufn[aey]|конфиденциальн)",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(r"p\.?\s?s\.?\s?[:.)–-]?\s", re.IGNORECASE)

_ATTRIBUTION = re.compile(
    r"(?:on|am|le|el|il|em|op|den|dnia|w dniu|il giorno|at|pe|dne|в)\b.{6,}"
    r"\b(?:wrote|schrieb|a écrit|escribió|escribio|ha scritto|escreveu|schreef|skrev|napisał(?:\(?a\)?)?|pisze|napsal|írta|написал(?:\(?а\)?)?)"
    r"\b.{0,80}:$|.{2,80}<\S+@\S+> (?:wrote|schrieb|skrev|schreef|napisał(?:\(?a\)?)?|escribió|escreveu|a écrit|ha scritto)\b.{0,60}:$",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"-{3,}\s?(?:original (?:message|appointment)|forwarded (?:message|by .{1,60})|ursprüngliche nachricht|original-?nachricht|weitergeleitete nachricht|"
    r"message (?:d'origine|original|transféré)|mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)|"
    r"mensagem (?:original|encaminhada)|oorspronkelijk bericht|doorgestuurd bericht|ursprungligt meddelande|"
    r"oprindelig meddelelse|opprinnelig melding|(?:oryginalna|wiadomość) (?:wiadomość|oryginalna)|исходное сообщение)\s?-{3,}$|"
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message (?:réexpédié|transféré)|"
    r"inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht):?$",
    re.IGNORECASE,
)
_RULE = re.compile(r"[_=-]{10,}$")
_QUOTE = re.compile(r"(?:>|\|>|[A-Z]{1,3}>)")
_NAME = re.compile(r"(?:[^\W\d_a-z][\w.'’-]*)(?: [^\W\d_][\w.'’-]*){0,3}$")

_LONGEST = 300
_FIRST_LINES = 3
_SIGNATURE_LINES = 12


def kinds(lines: Sequence[str]) -> dict[int, BlockKind]:
    """What the lines of a mail are: header, greeting, signature or quoted; {} for other texts.

    Args:
        lines: of the text, split at line feeds.

    A text is a mail if it has one certain sign of it (a header with a subject or addresses, a mail
    quoted with who wrote it, "Original Message", a formal closing with a name at the end, "-- " or
    "Sent from my phone" at the end) or two of: a greeting on a line of its own at the start, a
    closing with a name at the end, lines that begin with `>`, one line of a header.
    """
    stripped = [line.strip() for line in lines]
    header, certainty = _header(lines, stripped)
    quoted, quoted_certainty = _quoted(stripped, len(header))
    own = [i for i, line in enumerate(stripped) if line and i not in quoted and i not in header]
    greeting = _greeting(stripped, own)
    signature, signature_certainty = _signature(lines, stripped, own, bool(greeting))
    if certainty + quoted_certainty + bool(greeting) + signature_certainty < 2:
        return {}
    return (
        dict.fromkeys(sorted(header), BlockKind.MAIL_HEADER)
        | dict.fromkeys(greeting, BlockKind.GREETING)
        | dict.fromkeys(signature, BlockKind.SIGNATURE)
        | dict.fromkeys(sorted(quoted), BlockKind.QUOTED)
    )


def _header(lines: Sequence[str], stripped: Sequence[str]) -> tuple[set[int], int]:
    """The header at the start, and how certain it makes a mail: 0, 1 or 2."""
    first = next((i for i, line in enumerate(stripped) if line), len(stripped))
    end, roles = _header_block(lines, stripped, first)
    certainty = _certainty_of_header(stripped[first:end], roles)
    return (set(range(first, end)) if certainty else set()), certainty


def _header_block(
    lines: Sequence[str], stripped: Sequence[str], first: int
) -> tuple[int, set[str]]:
    """The end of the header lines from a line on, and what they say."""
    roles: set[str] = set()
    i = first
    while i < len(lines) and stripped[i]:
        if match := _HEADER.match(stripped[i][:_LONGEST]):
            roles.add(match.lastgroup or "")
        elif not (roles and lines[i][:1] in " \t"):
            break
        i += 1
    # Text right after it belongs to a form or a list, unless it is the message.
    return i, roles


def _certainty_of_header(block: Sequence[str], roles: set[str]) -> int:
    parties = roles & {"sender", "recipient"}
    addresses = any("@" in line for line in block)
    if parties and (roles & {"subject", "sent"} or addresses):
        return 2
    return int(bool(roles & {"subject", "sent"}) or (len(parties) == 2 and "more" in roles))


def _quoted(stripped: Sequence[str], start: int) -> tuple[set[int], int]:
    """The lines of earlier mails, and how certain they make a mail: 0, 1 or 2."""
    quoted = {i for i in range(start, len(stripped)) if _QUOTE.match(stripped[i])}
    certainty = int(bool(quoted))
    i = start
    while i < len(stripped):
        if _ORIGINAL.match(stripped[i][:_LONGEST]) or _is_header_of_quoted(stripped, i, start):
            return quoted | set(range(i, len(stripped))), 2
        if count := _attribution(stripped, i):
            following = _next_line(stripped, i + count)
            if following in quoted:
                quoted |= set(range(i, following))
                certainty = 2
            elif certainty or _is_dated(" ".join(stripped[i : i + count])):
                return quoted | set(range(i, len(stripped))), 2
        i += 1
    return quoted, certainty


def _is_header_of_quoted(stripped: Sequence[str], i: int, start: int) -> bool:
    """Whether the header of an earlier mail begins at a line, as Outlook writes it."""
    before = next((line for line in reversed(stripped[max(start, i - 2) : i]) if line), "")
    if i == start or not stripped[i] or (stripped[i - 1] and not _RULE.match(before)):
        return False
    match = _HEADER.match(stripped[i][:_LONGEST])
    if not match or match.lastgroup != "sender":
        return False
    block = stripped[i : i + 8]
    end, roles = _header_block(block, block, 0)
    return end >= 3 and bool(roles & {"sent", "subject"}) and "recipient" in roles


def _attribution(stripped: Sequence[str], i: int) -> int:
    """The number of lines from a line on, at most 3, that say who wrote what follows; or 0."""
    joined = ""
    for count in range(1, 4):
        if i + count > len(stripped) or not (line := stripped[i + count - 1]) or line[0] == ">":
            return 0
        joined = f"{joined} {line}".strip()
        if len(joined) > _LONGEST:
            return 0
        if line.endswith(":") and _ATTRIBUTION.match(joined):
            return count
    return 0


def _is_dated(attribution: str) -> bool:
    return bool(re.search(r"\d", attribution)) and bool(
        re.search(r"@|\d{4}|\d[:.h]\d\d", attribution)
    )


def _next_line(stripped: Sequence[str], i: int) -> int:
    """The next line that isn't empty, among two."""
    return i + 1 if i < len(stripped) and not stripped[i] else i


def _greeting(stripped: Sequence[str], own: Sequence[int]) -> list[int]:
    return [i for i in own[:_FIRST_LINES] if is_greeting(stripped[i])][:1]


def is_greeting(line: str) -> bool:
    """Whether a line is a greeting and nothing else, as "Dear Ann," but not "Dear Ann, I'm late."."""
    if len(line) > 100 or not (match := _GREETING.fullmatch(line)):
        return False
    rest = _GREETED_END.sub("", match["rest"])
    if re.search(r"[.!?]\s+\w{4,}.*\s\w", rest):
        return False
    head, *others = rest.split(",")
    return len(head.split()) <= 5 and all(_is_greeted(part.strip()) for part in others)


def _is_greeted(part: str) -> bool:
    """Whether a part after a comma is one more greeting, or one more name."""
    words = part.split()
    if match := _GREETING.match(part):
        return len(match["rest"].split()) <= 4
    return (
        bool(words)
        and len(words) <= 4
        and all(word[0].isupper() or word in _CONJUNCTIONS for word in words)
    )


def _signature(
    lines: Sequence[str], stripped: Sequence[str], own: Sequence[int], greeted: bool
) -> tuple[list[int], int]:
    """The lines of the signature, and how certain they make a mail: 0, 1 or 2."""
    tail = own[-40:]
    certainty = 0
    start = len(tail)
    for at in range(len(tail) - 1, -1, -1):
        line = stripped[tail[at]]
        sign = _sign(lines[tail[at]], line)
        if sign and _is_signature([stripped[i] for i in tail[at:]]):
            start, certainty = at, max(certainty, sign)
    if certainty == 2 and not greeted and any(is_greeting(stripped[i]) for i in own[_FIRST_LINES:]):
        # A letter within another text.
        certainty = 1
    if start == len(tail) and greeted and len(tail) > 2 and _ends_with_name(stripped, tail[-1]):
        start, certainty = len(tail) - 1, 1
    return _without_postscript(stripped, tail[start:]), certainty


def _sign(raw: str, line: str) -> int:
    """How certain a line that begins a signature makes a mail; 0 for other lines."""
    if line == "--":
        return 2 if raw.rstrip("\r\n") == "-- " else 1
    if len(line) > 160:
        return 0
    if _SENT_FROM.match(line):
        return 2
    if match := _CLOSING.match(line):
        return 2 if match["formal"] else 1
    return 0


def _is_signature(lines: Sequence[str]) -> bool:
    """Whether lines, from the closing on, are short, and none is a sentence; then a disclaimer."""
    if len(lines) == 1 and lines[0] != "--":
        return bool(_SENT_FROM.match(lines[0])) or bool(_closing_name(lines[0]))
    for count, line in enumerate(lines[1:]):
        if _DISCLAIMER.search(line) or _POSTSCRIPT.match(line):
            return True
        is_sentence = len(line.split()) >= 7 and line.endswith((".", "?", "!", ";"))
        if count >= _SIGNATURE_LINES or len(line) > 100 or is_sentence:
            return False
    return len(lines) > 1


def _closing_name(line: str) -> str | None:
    match = _CLOSING.match(line)
    return match["name"] if match else None


def _ends_with_name(stripped: Sequence[str], last: int) -> bool:
    return bool(_NAME.match(stripped[last])) and not stripped[last - 1]


def _without_postscript(stripped: Sequence[str], signature: Sequence[int]) -> list[int]:
    """The lines of a signature but for a postscript, which ends at an empty line."""
    kept: list[int] = []
    is_postscript = False
    for i in signature:
        if not stripped[i - 1]:
            is_postscript = False
        is_postscript |= bool(_POSTSCRIPT.match(stripped[i]))
        if not is_postscript:
            kept.append(i)
    return kept
