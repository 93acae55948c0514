"""Reading documents: the phrases by which the parts of a mail are known, for `mail`.

They are those of the languages of Europe and some of Asia. Typographic apostrophes are expected to
be plain ones.
"""

# ruff: noqa: RUF001 - the letters of other alphabets are meant

import re

_FROM = (
    "from|von|de|da|van|från|fra|od|lähettäjä|от|от кого|"
    "gönderen|kimden|差出人|送信者|发件人|寄件者|寄件人|보낸 사람|من|מאת"
)
_TO = (
    "to|an|à|a|para|per|aan|till|til|do|кому|"
    "per a|alıcı|kime|宛先|收件人|收件者|받는 사람|إلى|אל"
)
_SUBJECT = (
    "subject|betreff|betr|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|тема|"
    "assumpte|konu|件名|主题|主旨|主題|제목|الموضوع|נושא"
)
_SENT = (
    "sent|gesendet|envoyé|envoyé le|enviado|enviado el|inviato|enviada|enviada em|verzonden|"
    "skickat|sendt|wysłano|отправлено|"
    "enviat|gönderildi|送信日時|发送时间|寄件日期|보낸 날짜|تاريخ الإرسال"
)
_MORE = (
    "date|datum|fecha|data|dato|дата|tarih|日付|日時|日期|날짜|التاريخ|抄送|참조|cc|bcc|cci|cco|ccn|kopie|kopia|"
    "copie|copia|dw|udw|копия|reply-to|antwort an|"
    "répondre à|importance|priority|priorität|wichtigkeit|attachments?|"
    "anlagen?|pièces jointes|adjuntos|allegati|"
    "anexos|bijlagen|bilagor|załączniki|message-id|in-reply-to|references|"
    "mime-version|content-[a-z-]+|x-[a-z-]+|"
    "return-path|received|delivered-to|organi[sz]ation|user-agent|list-[a-z-]+|thread-[a-z]+"
)
HEADER = re.compile(
    rf"[*_]*(?:(?P<sender>{_FROM})|(?P<recipient>{_TO})|(?P<subject>{_SUBJECT})|(?P<sent>{_SENT})|(?P<more>{_MORE}))"
    r"[*_]*\s?(?::[*_]*(?=\s|$)|：)",
    re.IGNORECASE,
)

_GREETINGS = (
    # English
    r"(?:my )?dear(?:est)?|hi|hello|hey|greetings|(?:good )?(?:morning|afternoon|evening)|good day|"
    r"ladies and gentlemen|to whom it may concern|"
    # German
    r"sehr (?:geehrt|verehrt)e[nrs]?|liebe[nrs]?|werte[nrs]?|hallo|guten (?:tag|morgen|abend)|grüß gott|"
    r"grüezi|servus|moin|"
    # French
    r"bonjour|bonsoir|salut|coucou|ch(?:er|ère)s?|(?:madame|monsieur|mesdames|messieurs)(?=,|$)|"
    r"(?:madame la|monsieur le) \w+(?=,)|"
    # Spanish
    r"(?:estimad|querid|apreciad|distinguid)[oa]s?|hola|buen[oa]s(?: días| tardes| noches|(?=,))|"
    r"muy señor(?:a|es)? (?:mí[oa]s?)|"
    # Italian and Portuguese
    r"gentil(?:e|i|issim[oaie])|gent\.m[oaie]|egregi[oa]?|stimat[oaie]|car[oaie]|car[oa]s|"
    r"carissim[oaie]|buongiorno|"
    r"buonasera|salve|ciao|spett\.?(?:le|li)?|prezad[oa]s?|olá|oi|bom dia|boa (?:tarde|noite)|ex\.?m[oa]s?\.?|"
    # Dutch
    r"beste|geachte|lieve|hoi|goede(?:morgen|middag|navond|ndag)|goede (?:morgen|middag|avond)|dag|"
    # Swedish, Danish, Norwegian, Finnish
    r"hej|hejsan|hallå|tjena|bästa|kära|käre|god (?:morgon|dag|kväll|morgen|aften)|hei|kjære|kære|hyvä|"
    # Polish, Czech, Hungarian, Romanian, Turkish
    r"szanown[aeiy]|dzień dobry|dobry wieczór|drog[ai]|drodzy|cześć|witam|witaj(?:cie)?|vážen[áíý]|dobrý den|"
    r"ahoj|kedves|tisztelt|bună|stimate|stimată|sayın|merhaba|"
    # Russian and Ukrainian
    r"уважаем(?:ый|ая|ые)|дорог(?:ой|ая|ие)|здравствуйте|добрый (?:день|вечер)|привет|шановн(?:ий|а|і)|"
    # Catalan, Arabic, Hebrew
    r"benvolgu(?:t|da|ts|des)|estima(?:t|da|ts|des)|bon dia|bona (?:tarda|nit)|"
    r"مرحبًا|مرحبا|أهلا|السلام عليكم|عزيزي|عزيزتي|الأعزاء|حضرة|تحية طيبة|שלום|היי|לכבוד"
)
# Languages in which the greeting follows the name, or no space stands between.
_GREETINGS_AFTER_NAMES = (
    # Japanese
    r"\S{1,20}(?:[ \u3000]\S{1,10})?(?:様|さま|さん|各位|御中|殿)|拝啓|こんにちは|お疲れ様です|"
    r"(?:いつも)?(?:大変)?お世話になっ(?:ております|ています)|"
    # Chinese
    r"(?:尊敬的|敬爱的|亲爱的|敬愛的|親愛的)\S{1,15}|(?:\S{1,10}[，,])?(?:您好|你好|大家好|[早下晚]上?[午]?好)|"
    r"各位\S{1,8}|\S{1,6}(?:先生|女士|小姐|老师|老師|经理|經理|同学|同學)|"
    # Korean
    r"안녕하세요(?:[,.!]? (?:\S{1,10} ){0,2}\S{1,10}(?:님|씨))?|(?:\S{1,10} ){0,2}\S{1,10}(?:님|씨)(?:께)?"
)
GREETING = re.compile(
    rf"(?:(?:{_GREETINGS})(?![\w'-])|(?:{_GREETINGS_AFTER_NAMES})(?=[、，,：:！!。.]?$))(?P<rest>.*)",
    re.IGNORECASE,
)

_REGARDS = (
    # English
    r"(?:with (?:my |our )?)?(?:(?:very )?(?:best|kind(?:est)?|warm(?:est)?|many|friendly|"
    r"sincere)(?: and |, | )?)*"
    r"(?:regards|wishes|greetings)|yours (?:sincerely|faithfully|truly)|(?:sincerely|respectfully|"
    r"truly)(?: yours)?|"
    r"warmly|all the best|with (?:many )?thanks|with gratitude|thanks and (?:best |kind )?regards|"
    # German
    r"(?:danke und |vielen dank und )?(?:mit )?(?:(?:freundlich|best|herzlich|viel|lieb|schön|"
    r"sonnig)e[mnr]? (?:und )?)*"
    r"gr(?:ü|ue)(?:ß|ss)e?n?(?: (?:aus|von) \S+(?: \S+)?)?|mit (?:freundlich|herzlich|best|"
    r"lieb)em gru(?:ß|ss)|gru(?:ß|ss)|"
    r"hochachtungsvoll|herzlichst|mfg|vg|lg|"
    # French
    r"(?:(?:bien|très) )?(?:cordialement|amicalement|sincèrement)(?: vôtre)?|respectueusement|"
    r"bien à (?:vous|toi)|"
    r"(?:(?:meilleures|sincères|cordiales) )?salutations(?: distinguées| cordiales| respectueuses)?|"
    r"(?:veuillez|je vous prie|nous vous prions|recevez).{3,120}(?:salutations|sentiments|"
    r"considération)(?: \w+)?|"
    # Spanish
    r"(?:reciban? )?(?:(?:un|muchos) )?(?:(?:cordial|atento)(?:e?s)? )?saludos?(?: cordial(?:es)?|"
    r" atentos?| y gracias)?|"
    r"(?:(?:le|les) saluda )?(?:muy )?atentamente|(?:un )?(?:fuerte )?abrazos?|"
    # Italian
    r"(?:con |(?:ringraziando, )?porgo )?(?:(?:cordiali|distinti|cari|tanti|i migliori) )?saluti|"
    r"un (?:caro |cordiale )?saluto|cordialmente|"
    r"un abbraccio|in fede|"
    # Portuguese
    r"(?:muito )?atenciosamente|respeitosamente|(?:com )?(?:os )?(?:(?:melhores|meus) )?cumprimentos|saudações|"
    r"(?:um )?(?:grande )?abraços?|att\.?|"
    # Dutch
    r"(?:met )?(?:(?:vriendelijke|hartelijke|beste) )?groet(?:en|jes)?|hoogachtend|mvg|"
    # Swedish, Danish, Norwegian
    r"(?:med )?(?:(?:vänliga?|bästa|hjärtliga|varma) )?hälsning(?:ar)?|mvh|"
    r"(?:med )?(?:(?:venlig|vennlig|kærlig|mange|bedste|beste) )?hils(?:en|ner)|"
    # Polish, Czech, Hungarian, Finnish, Romanian, Turkish
    r"z (?:poważaniem|wyrazami szacunku|pozdrowieniami)|(?:serdecznie )?pozdrawiam(?: serdecznie)?|"
    r"(?:(?:serdeczne|łączę) )?pozdrowienia|s pozdravem|üdvözlettel|ystävällisin terveisin|cu stimă|"
    r"saygılarımla|"
    # Russian and Ukrainian
    r"с уважением|с наилучшими пожеланиями|всего доброго|з повагою|"
    # Catalan, Turkish, Arabic, Hebrew
    r"atentament|cordialment|(?:cordials )?salutacions(?: cordials)?|una abraçada|"
    r"saygılar(?:ımızla)?|sevgiler(?:imle|imizle)?|selamlar|iyi (?:çalışmalar|günler|akşamlar)|"
    r"(?:مع )?(?:أطيب |خالص |أصدق )?(?:التحيات|التحية|تحياتي)(?: والتقدير)?|"
    r"مع (?:جزيل الشكر|فائق الاحترام)(?: والتقدير)?|وتفضلوا بقبول .{2,40}|"
    r"בברכה|בכבוד רב|"
    # Japanese, Chinese, Korean
    r"(?:何卒|どうぞ|以上、?)?(?:宜しく|よろしく)お願い(?:いたします|致します|します|申し上げます)|敬具|"
    r"此致(?: ?敬[礼禮])?|敬[礼禮]|祝好|(?:顺|順)[祝颂頌]商祺|祝[您你]?(?:工作顺利|一切顺利|生活愉快|好)|"
    r"\S{2,10} (?:드림|올림)"
)
_THANKS = (
    r"(?:(?:many|kind) )?thanks(?: again| a lot| in advance| so much)?|thank you(?: very much| in advance)?|"
    r"cheers|best|yours|(?:(?:lots of|much) )?love|take care|(?:see you|talk) soon|"
    r"danke|vielen dank|alles gute|bis bald|ihre?|merci(?: d'avance| beaucoup)?|avec mes remerciements|"
    r"bises|bonne journée|[àa] bient[ôo]t|(?:muchas )?gracias|hasta (?:pronto|luego)|besos|quedo a su disposición|"
    r"grazie(?: mille)?|a presto|(?:muito )?obrigad[ao]|beijinhos|até breve|(?:alvast )?bedankt|dank je wel|"
    r"liefs|tot snel|tack(?: på förhand)?|kram|vi ses|(?:z góry )?dziękuję|do zobaczenia|спасибо|"
    r"gràcies|teşekkürler|teşekkür ederim|görüşmek üzere|شكرًا|شكرا(?: جزيلا)?|תודה(?: רבה| מראש)?|"
    r"谢谢|謝謝|ありがとうございます|감사합니다|고맙습니다"
)
CLOSING = re.compile(
    rf"(?:(?P<formal>{_REGARDS})|{_THANKS})(?![\w'-])"
    r"(?:[ ,]+(?P<name>[^\s,.!?]+(?: [^\s,.!?]+){0,2}))?\s*[,.!،，、。！–-]*$",
    re.IGNORECASE,
)
SENT_FROM = re.compile(
    r"(?:sent from (?:my|outlook|yahoo|mail for|proton)|get outlook for|télécharger outlook|"
    r"(?:von meinem|gesendet von|gesendet mit)|"
    r"envoyé (?:de(?:puis)?|à partir de) (?:mon|ma|outlook)|enviado desde mi|"
    r"inviato da(?:l mio)?|enviado d[oe] meu|"
    r"(?:verzonden|verstuurd) (?:vanaf|met|via) mijn|skickat från min|wysłan[oe] z |"
    r"sendt fra min|отправлено с )\b.{0,60}$|"
    r"von meinem .{2,30} gesendet\.?$|enviat des del meu .{2,30}$|iphone'?umdan gönderildi$|"
    r".{2,20}から送信$|[从從发發]自?我的.{2,20}?(?:[发發]送)?$|나의 .{2,20}에서 보냄$",
    re.IGNORECASE,
)
DISCLAIMER = re.compile(
    r"\b(?:confidential|privileged|disclaimer|registered (?:in|office)|company number|virus(?:es)?|"
    r"intended (?:only|solely)|unsubscribe|"
    r"consider the environment|vertraulich|amtsgericht|handelsregister|rechtlich geschützt|"
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
    r".{2,60} (?:wrote on|schrieb am|hat am|skrev den|schreef op|escribió el|a écrit le|"
    r"ha scritto il) .{4,60}:$|"
    r".{2,120}(?:va escriure|yazdı|كتبت?|כתבה?|写道|寫道|님이 작성|さんは書きました)\s?[:：]$|"
    # Only the time and the address.
    r".{6,60}\d[:.]\d\d\b.{0,60}<\S+@\S+>\s?[:：]$",
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
    r"oryginalna)|исходное сообщение|"
    r"missatge original|özgün ileti|元のメッセージ|原始[邮郵]件|转发的邮件|원본 메시지|전달된 메시지)\s?-{3,}$|"
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|"
    r"début du message (?:réexpédié|transféré)|"
    r"inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht):?$",
    re.IGNORECASE,
)
