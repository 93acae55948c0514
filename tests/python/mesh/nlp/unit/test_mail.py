# ruff: noqa: RUF001 - typographic apostrophes and full-width marks are meant

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.blocks import BlockKind
from mesh.nlp.mail import is_greeting, kinds

_KINDS = {
    "H": BlockKind.MAIL_HEADER,
    "G": BlockKind.GREETING,
    "S": BlockKind.SIGNATURE,
    "Q": BlockKind.QUOTED,
}

# Each line begins with a letter for its kind and `|`; lines of the message begin with `|`.
MAILS = {
    "ja whole": """\
G|田中様
|
|会議は木曜日に変更されました。報告書をお持ちください。
|
S|よろしくお願いいたします。
S|鈴木
|
Q|2024年3月4日(月) 9:03 田中 <t@example.jp>:
Q|> 会議はいつですか。""",
    "zh whole": """\
G|王先生，您好！
|
|会议改到星期四。请带上报告。
|
S|此致
S|敬礼
S|李明
|
Q|在 2024年3月4日，王 <w@example.cn> 写道：
Q|> 会议什么时候？""",
    "zh customers": """\
G|尊敬的客户：
|
|您的订单已经发货，预计星期五送达。
|
S|祝您生活愉快！
S|客服中心
S|从我的iPhone发送""",
    "ko whole": """\
G|안녕하세요 김민수님,
|
|회의가 목요일로 변경되었습니다. 보고서를 가져와 주세요.
|
S|감사합니다.
S|이지은 드림
|
Q|2024년 3월 4일 (월) 오전 9:03, 김민수 <kim@example.kr>님이 작성:
Q|> 회의가 언제입니까?""",
    "ca short": """\
G|Benvolguda Marta,
|
|La reunió s'ajorna fins dijous. Porta l'informe, si us plau.
|
S|Salutacions cordials,
S|Pere""",
    "tr short": """\
G|Merhaba Ayşe,
|
|Toplantı perşembe gününe ertelendi. Raporu getirmeyi unutma.
|
S|Sevgiler,
S|Mehmet""",
    "ar short": """\
G|مرحبا سارة،
|
|تم تأجيل الاجتماع إلى يوم الخميس. أحضري التقرير معك.
|
S|مع أطيب التحيات،
S|أحمد""",
    "he short": """\
G|שלום דנה,
|
|הפגישה נדחתה ליום חמישי. נא להביא את הדוח.
|
S|בברכה,
S|יוסי""",
    "ru quoted by time and address": """\
|Встреча переносится на четверг.
|
Q|пн, 4 мар. 2024 г. в 09:03, Анна <anna@example.ru>:
Q|> Когда встреча?""",
    "en whole": """\
H|From: Anna Lee <anna@example.org>
H|To: Bob Ray <bob@example.org>
H|Subject: The harbour line
|
G|Dear Bob,
|
|The harbour line opens in May. Please send the timetable by Friday.
|
S|Best regards,
S|Anna Lee
S|Transport Office, Leeds
S|+44 113 496 0000
|
Q|On Mon, 3 May 2021 at 10:12, Bob Ray <bob@example.org> wrote:
Q|> When does the line open?
Q|> Bob""",
    "en short": """\
G|Hi Ann,
|
|The tram is late again. Shall we meet at noon?
|
S|Thanks,
S|Bob""",
    "en name alone": """\
G|Hello team,
|
|The office is closed on Monday because of the flood.
|
S|Maria""",
    "en no greeting": """\
|Please find the report attached.
|
S|Kind regards
S|Anna Lee
S|Head of Planning""",
    "en outlook": """\
|I agree with the plan.
|
S|Regards,
S|Tom
|
Q|-----Original Message-----
Q|From: Anna Lee
Q|Sent: Monday, May 3, 2021 10:12 AM
Q|To: Tom Hill
Q|Subject: Plan
Q|
Q|Dear Tom,
Q|what do you think of the plan?""",
    "en outlook rule": """\
|I agree with the plan.
|
Q|________________________________
Q|From: Anna Lee
Q|Sent: Monday, May 3, 2021 10:12 AM
Q|To: Tom Hill
Q|Subject: Plan
Q|
Q|What do you think?""",
    "en wrapped attribution": """\
|Tuesday suits me.
|
Q|On Mon, 3 May 2021 at 10:12, Robert Alexander Ray
Q|<robert.alexander@example.org> wrote:
|
Q|> Shall we meet on Tuesday?""",
    "en answers between": """\
G|Hi Bob,
|
Q|> When does the line open?
|
|In May.
|
Q|> Who pays for it?
|
|The city does.
|
S|Cheers,
S|Ann""",
    "en delimiter": """\
|The minutes are on the wiki.
|
S|--\x20
S|Anna Lee
S|Example Ltd.""",
    "en closing without a name": """\
G|Hi Ann,
|
|Could you send me the minutes of Monday?
|
S|Thanks!""",
    "de who wrote first": """\
|Dienstag passt mir gut.
|
Q|Bernd Roth schrieb am 3. Mai 2021 um 10:12:
Q|> Treffen wir uns am Dienstag?""",
    "en blank lines first": """\
|
|
H|From: Anna Lee
H|Subject: Plan
H|To: Bob Ray
|
|The plan is ready.""",
    "en attribution without a time": """\
|The plan is ready.
|
Q|On Tue, Ann wrote:
Q|> Is the plan ready?""",
    "en attribution without marks": """\
|The plan is ready.
|
Q|On Mon, 3 May 2021 at 10:12, Ann Lee wrote:
Q|
Q|Is the plan ready?""",
    "en phone": """\
|I will be ten minutes late.
|
S|Sent from my iPhone""",
    "en disclaimer": """\
G|Dear all,
|
|The lift is out of order until Thursday.
|
S|Best wishes,
S|Facilities
|
S|This e-mail is confidential and intended only for the person it is addressed to.
S|If you received it by mistake, please delete it and tell the sender at once.""",
    "en postscript": """\
G|Dear Ann,
|
|The tickets are booked for the ninth of June.
|
S|Love,
S|Ruth
|
|P.S. Bring the blue suitcase, since the red one is broken.""",
    "en one header line": """\
H|Subject: Tram line 4
|
G|Good morning,
|
|Tram line 4 stops at the museum from today on.""",
    "en header alone": """\
H|From: Anna Lee
H|To: Bob Ray
H|Subject: Siemens""",
    "en letter with a head": """\
|Anna Lee
|12 Harbour Road
|Leeds
|
|3 May 2021
|
G|Dear Mr Ray,
|
|I write about the post of an engineer. I have built trams for ten years.
|
S|Yours sincerely,
|
S|Anna Lee""",
    "en forwarded": """\
|For your information.
|
Q|---------- Forwarded message ---------
Q|From: Anna Lee <anna@example.org>
Q|Subject: Plan
Q|
Q|What do you think?""",
    "en answer below": """\
Q|On 3 May 2021, at 10:12, Anna Lee wrote:
|
Q|> When does the line open?
|
|It opens in May.
|
S|Best,
S|Bob""",
    "en two thanks": """\
G|Hi Bob,
|
|Thanks!
|
|The line opens in May and the timetable is ready for printing.
|
S|Thanks again,
S|Anna""",
    "en close lines": """\
G|Dear Bob,
|The harbour line opens in May. Please send the timetable.
S|Best regards,
S|Anna Lee""",
    "nl phone": """\
|Ik ben tien minuten later.
|
S|Verstuurd vanaf mijn iPhone""",
    "de whole": """\
H|Von: Anna Lehmann
H|Gesendet: Montag, 3. Mai 2021 10:12
H|An: Bernd Roth
H|Betreff: Hafenlinie
|
G|Sehr geehrter Herr Roth,
|
|die Hafenlinie fährt ab Mai. Bitte schicken Sie den Fahrplan bis Freitag.
|
S|Mit freundlichen Grüßen
S|Anna Lehmann
S|Verkehrsamt Kiel""",
    "de informal": """\
G|Liebe Kolleginnen und Kollegen,
|
|am Montag bleibt das Büro wegen des Hochwassers geschlossen.
|
S|Viele Grüße
S|Maria
|
S|Von meinem iPhone gesendet""",
    "de quoted": """\
|Dienstag passt mir gut.
|
Q|Am 03.05.2021 um 10:12 schrieb Bernd Roth:
Q|> Treffen wir uns am Dienstag?""",
    "de original": """\
G|Hallo zusammen,
|
|der Plan ist gut.
|
Q|-----Ursprüngliche Nachricht-----
Q|Von: Bernd Roth
Q|Gesendet: Montag, 3. Mai 2021
Q|An: Alle
Q|Betreff: Plan
Q|
Q|Was meint ihr?""",
    "de liebe grüße": """\
G|Guten Tag Frau Müller,
|
|anbei der Vertrag. Ich freue mich auf Ihre Antwort.
|
S|Liebe Grüße aus Bremen
S|Jan""",
    "fr whole": """\
H|De : Anne Leroy
H|À : Paul Roux
H|Objet : La ligne du port
|
G|Chère Madame,
|
|La ligne du port ouvre en mai. Merci d’envoyer les horaires avant vendredi.
|
S|Cordialement,
S|Anne Leroy""",
    "fr quoted": """\
G|Bonjour,
|
|Mardi me convient.
|
S|Bien à vous
S|Anne
|
Q|Le lun. 3 mai 2021 à 10:12, Paul Roux <paul@example.org> a écrit :
Q|> On se voit mardi ?""",
    "fr formal": """\
G|Madame, Monsieur,
|
|La réunion du conseil est reportée au 9 juin.
|
S|Veuillez agréer, Madame, Monsieur, l’expression de nos salutations distinguées.
S|Paul Roux""",
    "es whole": """\
H|De: Ana López
H|Para: Luis Ruiz
H|Asunto: La línea del puerto
|
G|Estimado Luis:
|
|La línea del puerto abre en mayo. Envía el horario antes del viernes.
|
S|Saludos cordiales,
S|Ana López""",
    "es quoted": """\
G|Hola Ana,
|
|El martes me viene bien.
|
S|Un abrazo,
S|Luis
|
Q|El lun, 3 may 2021 a las 10:12, Ana López (<ana@example.org>) escribió:
Q|> ¿Nos vemos el martes?""",
    "es formal": """\
G|Muy señores míos:
|
|La reunión se aplaza hasta el nueve de junio.
|
S|Atentamente,
S|Ana López""",
    "it whole": """\
H|Da: Anna Leoni
H|A: Paolo Russo
H|Oggetto: La linea del porto
|
G|Gentile dottor Russo,
|
|La linea del porto apre a maggio. La prego di inviare gli orari entro venerdì.
|
S|Cordiali saluti
S|Anna Leoni""",
    "it quoted": """\
G|Caro Paolo,
|
|Martedì va bene.
|
S|Grazie
S|Anna
|
Q|Il giorno lun 3 mag 2021 alle ore 10:12 Paolo Russo <paolo@example.org> ha scritto:
Q|> Ci vediamo martedì?""",
    "pt whole": """\
H|De: Ana Lopes
H|Para: Rui Reis
H|Assunto: A linha do porto
|
G|Prezado Rui,
|
|A linha do porto abre em maio. Por favor, envie o horário até sexta-feira.
|
S|Atenciosamente,
S|Ana Lopes""",
    "pt quoted": """\
G|Olá Ana,
|
|Terça-feira é bom para mim.
|
S|Abraço,
S|Rui
|
Q|Em seg., 3 de mai. de 2021 às 10:12, Ana Lopes <ana@example.org> escreveu:
Q|> Vamos nos ver na terça?""",
    "nl whole": """\
H|Van: Anna de Leeuw
H|Aan: Piet Bakker
H|Onderwerp: De havenlijn
|
G|Geachte heer Bakker,
|
|De havenlijn gaat in mei open. Stuur de dienstregeling voor vrijdag.
|
S|Met vriendelijke groet,
S|Anna de Leeuw""",
    "nl quoted": """\
G|Beste Anna,
|
|Dinsdag is goed.
|
S|Groeten,
S|Piet
|
Q|Op ma 3 mei 2021 om 10:12 schreef Anna de Leeuw <anna@example.org>:
Q|> Zien we elkaar dinsdag?""",
    "sv whole": """\
H|Från: Anna Lind
H|Till: Per Ros
H|Ämne: Hamnlinjen
|
G|Hej Per,
|
|Hamnlinjen öppnar i maj. Skicka tidtabellen före fredag.
|
S|Med vänliga hälsningar
S|Anna Lind""",
    "sv quoted": """\
G|Hej!
|
|Tisdag passar bra.
|
S|Mvh
S|Per
|
Q|Den mån 3 maj 2021 kl 10:12 skrev Anna Lind <anna@example.org>:
Q|> Ska vi ses på tisdag?""",
    "pl whole": """\
H|Od: Anna Lis
H|Do: Piotr Rak
H|Temat: Linia portowa
|
G|Szanowni Państwo,
|
|Linia portowa rusza w maju. Proszę przysłać rozkład do piątku.
|
S|Z poważaniem
S|Anna Lis""",
    "pl quoted": """\
G|Cześć Anno,
|
|Wtorek mi pasuje.
|
S|Pozdrawiam
S|Piotr
|
Q|W dniu 3.05.2021 o 10:12 Anna Lis pisze:
Q|> Widzimy się we wtorek?""",
}

OTHERS = {
    "ja text": """\
東京は日本の首都です。人口は多いです。

山田さん

彼は医者です。""",
    "zh text": """\
此致

这是一篇关于书信的文章。作者讨论了书信的历史。""",
    "zh letter in a story": """\
他打开了信。

王先生，您好！

会议改到星期四。

此致
敬礼

他把信放进了炉子。没有人再提起这件事。""",
    "ko text": """\
선생님

회의가 목요일로 변경되었습니다. 우리는 내일 만납니다.""",
    "en article with regards in a dialogue": """\
The mayor opened the letter and laughed.

“Best regards,” he read aloud, “from the harbour company.”

The council will vote on the line in May.""",
    "en letter in a novel": """\
Ruth found the letter under the lamp.

Dear Ruth,

I shall not come back before the winter.

Yours sincerely,
Edward

She folded it twice and put it into the stove. Nobody spoke of it again.""",
    "en novel that ends with a letter": """\
Ruth found the letter under the lamp. It was short, and the ink had run.
She knew the hand at once.

The kettle sang in the kitchen.

Dear Ruth,

I shall not come back before the winter.

Yours sincerely,
Edward""",
    "en poem": """\
Hello, grey river under the bridge
Hello, small boats of the town
The morning carries the gulls away
And the evening brings them down""",
    "en poem with one greeting": """\
Hello river

You carry the boats
and the boats carry me""",
    "en review": """\
Hi everyone! The hotel was clean and the staff were kind.
Breakfast could be better. Best value in town.""",
    "en one line": "Hi Ann, the tram is late.",
    "en markdown with a quote": """\
# Notes on the harbour line

> The line opens in May.

The council said so on Monday.""",
    "en table of journeys": """\
From: Berlin
To: Paris
Price: 30 euros""",
    "en labels": """\
Date: 3 May 2021
Place: Leeds

The council met at nine and voted for the harbour line.""",
    "en interview": """\
Q: When does the line open?
A: In May.
Q: Who pays for it?
A: The city does.""",
    "en article with wrote": """\
The paper was read by many. On its last page the editor wrote:
no line was ever built so fast.

The council agreed.""",
    "en article with a dated letter": """\
On 3 May 1921 the mayor wrote:
no line was ever built so fast.

The council agreed.""",
    "en article that quotes a letter": """\
The line was begun in the spring.

On 3 May 1921 the mayor wrote:

> No line was ever built so fast.

The council agreed, and the next line was begun.""",
    "en rules between parts": """\
The first part tells of the harbour.

--

The second part tells of the town, its trams and its long quarrel with the railway company.

It ends in 1921.""",
    "en thanks at the end": """\
The museum reopens on Monday with a show of early photographs.
Thanks to a grant, entry is free.""",
    "en speech": """\
Ladies and gentlemen,

the line opens today. It was built in two years by a company from Leeds.

Long may it run.""",
    "en phrases": """\
Ways to end a letter:

Best regards
Kind regards
Yours sincerely""",
    "en list of words": """\
Regards
Wishes
Greetings""",
    "en names": """\
Anna,
Bob,
Carl""",
    "en poem with a name below": """\
Dear river,
you carry the boats
and the boats carry me

Anna Lee""",
    "en versions": """\
From: 1.0
To: 2.0

The parser is faster now and takes less memory.""",
    "en prompt": """\
>>> print(1)
1""",
    "de zug": """\
Von: Kiel
An: 10:30 Uhr
Gleis: 7""",
    "fr trajet": """\
De : Paris
À : Lyon
Prix : 30 euros""",
    "es receta": """\
Para: 4 personas
Tiempo: 30 minutos

Corta las cebollas.""",
    "de gedicht": """\
Liebe ist ein Fluss
Liebe ist ein Boot
Hallo sagt der Morgen""",
    "de artikel": """\
Die Hafenlinie fährt ab Mai.
Viele Grüße aus dem Rathaus gab es zur Eröffnung nicht.
Der Bürgermeister war verreist.""",
    "de hörspiel": """\
Von: allen Seiten kam Beifall.
Der Vorhang fiel.""",
    "fr dialogue": """\
— Bonjour, dit-elle.
— Bonjour, Madame.
Il pleuvait sur le port.""",
    "fr article": """\
Bonjour tristesse de la ligne du port : les travaux durent depuis deux ans.
La mairie promet une ouverture en mai.""",
    "es artículo": """\
Querida por todos, la línea del puerto abre en mayo.
Saludos de los vecinos llegaron de todo el país.
El alcalde no vino.""",
    "it recensione": """\
Caro ma buono. La cucina è ottima.
Grazie al personale.""",
    "pt notícia": """\
A linha do porto abre em maio.
Olá é a primeira palavra do livro de visitas.""",
    "nl bericht": """\
Beste speler van het toernooi werd Piet Bakker.
De havenlijn gaat in mei open.""",
    "sv notis": """\
Dag och natt går spårvagnen.
Hej sa den gamle mannen.""",
    "pl wiadomość": """\
Drogie bilety zniechęcają pasażerów.
Linia portowa rusza w maju.""",
    "ru new": """\
Привет из Москвы
Трамвай ходит днём и ночью.""",
    "empty": "",
    "blank": "\n\n  \n",
}


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


@pytest.mark.parametrize("name", MAILS)
def test_each_line_of_a_mail_has_its_kind(name: str):
    marked = [line.split("|", 1) for line in MAILS[name].splitlines()]

    found = kinds([line for _, line in marked])

    lines = [line for _, line in marked]
    wanted = {i: _KINDS[mark] for i, (mark, line) in enumerate(marked) if mark and line.strip()}
    assert _shown(lines, found) == _shown(lines, wanted)


@pytest.mark.parametrize("name", OTHERS)
def test_other_texts_have_no_parts_of_mails(name: str):
    assert kinds(OTHERS[name].split("\n")) == {}


def _shown(lines: Sequence[str], found: dict[int, BlockKind]) -> list[str]:
    return [f"{found.get(i, '')}|{line}" for i, line in enumerate(lines) if line.strip()]


@pytest.mark.parametrize("ending", ["\r", " ", "\t"])
@pytest.mark.parametrize("name", ["en whole", "de whole", "fr quoted"])
def test_white_space_at_the_ends_of_lines_changes_nothing(name: str, ending: str):
    lines = [line.split("|", 1)[1] for line in MAILS[name].splitlines()]

    assert kinds([line + ending for line in lines]) == kinds(lines)


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


_PARTS = st.sampled_from(
    (
        "",
        "Hi Ann,",
        "From: Ann",
        "To: Bob",
        "Best regards",
        "Bob",
        "> a",
        "-- ",
        "The tram is late.",
        "On 3 May 2021, Ann wrote:",
        "-----Original Message-----",
        "P.S. Bring it.",
        "\f",
        " x",
    )
)


@given(st.lists(_PARTS, max_size=20))
def test_the_parts_of_a_mail_come_in_order(lines: list[str]):
    found = kinds(lines)

    own = [kind for _, kind in sorted(found.items()) if kind is not BlockKind.QUOTED]
    order = [BlockKind.MAIL_HEADER, BlockKind.GREETING, BlockKind.SIGNATURE]
    assert own == sorted(own, key=order.index)
    assert all(0 <= i < len(lines) for i in found)
