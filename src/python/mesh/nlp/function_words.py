"""Function words: the closed classes of a language, which tell nothing of a text's subject.

They are articles, pronouns, prepositions, conjunctions, auxiliary and modal verbs, negations, and
adverbs that point ("there", "when"). Lists of stop words also have nouns and verbs, in English for
instance "computer", "fire" and "research". A form that is a noun as well ("été", "stato", "weer")
is left out, unless the function word is far more frequent.
"""

from functools import cache

from mesh.nlp.stop_words import stop_words

_WORDS = {
    "ca": """
        a així això al algun alguna algunes alguns allà allò als altra altre altres amb aquell
        aquella aquelles aquells aquest aquesta aquestes aquests aquí bé cada com contra d de del
        dels des dins doncs e el ell ella elles ells els em en encara ens entre era eren es esta
        estan estar estat estava estaven et ets fins fos ha han has hauria havia havien he hem hi
        ho i ja jo l la les li llur llurs lo m ma mentre meu meus meva meves molt molta moltes
        molts n ni no nosaltres nostra nostre nostres o on pel pels per perquè però qual quals
        quan que quelcom qui quin quina quines quins què s sa se sense ser seran seria serà ses
        seu seus seva seves si sigui sobre som sota sou sí són t també tampoc tan tant te tenia
        tenir teu teus teva teves tot tota totes tots tu un una unes uns us va vaig vam van vas
        vau vosaltres vostra vostre vostres és
    """,
    "da": """
        ad af aldrig alle allerede alt altid anden andet andre at bare begge blev blevet blive
        bliver da de dem den denne dens der deres derfor det dets dette dig din dine disse dit dog
        du efter eller en end endnu er et for fordi fra før ham han hans har havde have hende
        hendes her hos hun hvad hvem hver hvilke hvilken hvilket hvis hvor hvordan hvorfor hvornår
        i ikke imellem imod ind ingen intet ja jeg jer jeres jo kan kun kunne lige man mange med
        meget mellem men mig min mine mit mod må måtte nej nogen noget nogle nok nu når og også om
        op os over på samme selv ses siden sig sin sine sit skal skulle som så sådan sådanne til
        ud uden under var ved vi vil ville vor vores være været
    """,
    "de": """
        aber alle allem allen aller alles als also am an andere anderem anderen anderer anderes
        auch auf aus außer bei beide beiden beim bereits bevor bin bis bist da dabei dadurch dafür
        dagegen daher dahin damit danach daneben dann daran darauf daraus darf darfst darin darum
        darunter darüber das dass davon davor dazu daß dein deine deinem deinen deiner deines dem
        den denen denn dennoch der deren des deshalb dessen dich die dies diese diesem diesen
        dieser dieses dir doch dort du durch durfte durften dürfen dürft ebenso ein eine einem
        einen einer eines einige einigen einiger entweder er es etwas euch euer eure eurem euren
        eurer für gegen gegenüber gewesen geworden habe haben habt hast hat hatte hatten hattest
        hattet her hier hin hinter hätte hätten ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres
        im in indem ins inzwischen ist ja je jede jedem jeden jeder jedes jedoch jemand jene jenem
        jenen jener jenes jetzt kann kannst kein keine keinem keinen keiner keines konnte konnten
        können könnt könnte könnten man manche manchem manchen mancher manches mein meine meinem
        meinen meiner meines mich mir mit muss musst musste mussten muß möchte möchten mögen
        müssen müsst müsste müssten nach nachdem neben nein nicht nichts niemand noch nun nur ob
        obwohl oder ohne schon sehr sei seid seien sein seine seinem seinen seiner seines seit
        seitdem selbst sich sie sind so sobald solche solchem solchen solcher solches soll sollen
        sollst sollt sollte sollten sondern sonst sowie sowohl statt trotz trotzdem um und uns
        unser unsere unserem unseren unserer unter vom von vor war waren warst wart warum was
        wegen weil welche welchem welchen welcher welches wem wen wenn wer werde werden werdet
        weshalb wessen wie wieder wieso will willst wir wird wirst wo wobei wodurch wofür woher
        wohin wollen wollt wollte wollten womit woran worauf worden worin wovon wozu wurde wurden
        während wäre wären würde würden zu zum zur zwar zwischen über
    """,
    "en": """
        a about above across after again against all almost along already also although always am
        among an and another any anybody anyone anything are around as at be became because been
        before behind being below beneath beside between beyond both but by can cannot could did
        do does doing done down during each either else ever every everybody everyone everything
        except few for from further had has have having he her here hers herself him himself his
        how however i if in inside into is it its itself just may me might more most much must my
        myself neither never no nobody none nor not nothing now of off often on once one only onto
        or other others ought our ours ourselves out outside over own per quite rather shall she
        should since so some somebody someone something still such than that the their theirs them
        themselves then there therefore these they this those though through throughout thus till
        to too toward towards under unless until up upon us very via was we were what whatever
        when whenever where whereas wherever whether which whichever while who whoever whom whose
        why will with within without would yes yet you your yours yourself yourselves
    """,
    "es": """
        a al algo alguien alguna algunas alguno algunos algún allá allí ambas ambos ante antes
        aquel aquella aquellas aquello aquellos aquí así aun aunque aún bajo cada casi como con
        conmigo contigo contra cual cuales cualquier cualquiera cuando cuanto cuya cuyas cuyo
        cuyos cuál cuáles cuándo cuánto cómo de del desde donde durante dónde e el ella ellas ello
        ellos en entonces entre era eran eras eres es esa esas ese eso esos esta estaba estaban
        estamos estar estará estas este esto estos estoy estuvo está están estás fue fueron fuese
        fui ha haber habrá habría había habían han has hasta hay haya hayan he hemos hubiera hubo
        la las le les lo los me mediante mi mientras mis mucha muchas mucho muchos muy más mí mía
        mías mío míos nada nadie ni ninguna ninguno ningún no nos nosotras nosotros nuestra
        nuestras nuestro nuestros nunca o os otra otras otro otros para pero poco podemos podrá
        podría podía podían por porque pudo puede pueden pues que quien quienes quién qué se sea
        sean según ser será serán sería si sido siempre siendo sin sino sobre sois somos son soy
        su sus suya suyas suyo suyos sí también tampoco tan tanto te tenemos tener tengo tenía
        tenían ti tiene tienen toda todas todavía todo todos tras tu tus tuvo tuya tuyas tuyo
        tuyos tú u un una unas uno unos usted ustedes vosotras vosotros vuestra vuestras vuestro
        vuestros y ya yo él
    """,
    "fr": """
        a afin ai aie ainsi alors après as au aucun aucune aujourd'hui auquel aura auraient aurait
        auront aussi autre autres aux auxquelles auxquels avaient avais avait avant avec avez
        aviez avions avoir avons ayant c car ce ceci cela celle celles celui cependant ces cet
        cette ceux chacun chacune chaque chez ci comme comment contre d dans de dehors depuis
        derrière des desquelles desquels donc dont du duquel durant dès elle elles en encore entre
        envers es est et eu eux furent fut ici il ils j jamais je jusque l la laquelle le lequel
        les lesquelles lesquels leur leurs lors lorsque lui là m ma mais malgré me mes mien mienne
        miennes miens moi moins mon même mêmes n ne ni non nos notre nous on ont ou où par parce
        parmi pas pendant peu peut peuvent plus plusieurs pour pourquoi pourrait près puis puisque
        qu quand que quel quelle quelles quelque quelques quels qui quiconque quoi quoique rien s
        sa sans sauf se selon sera seraient serait seront ses si sien sienne siens sinon soi
        soient soit sommes son sont sous suis sur t ta tandis tant te tel telle telles tels tes
        toi ton toujours tous tout toute toutes trop très tu un une vers voici voilà vos votre
        vous y à ça étaient étais était étant êtes être
    """,
    "it": """
        a abbia abbiamo abbiano ad affinché agli ai al alcun alcuna alcune alcuni alla alle allo
        allora altra altre altri altro anche ancora anzi appena avere aveva avevano avrebbe avrà
        avuto c che chi chiunque ci ciascuno ciò coi col come comunque con contro così cui d da
        dagli dai dal dalla dalle dallo degli dei del della delle dello dentro di dietro dopo dove
        dunque durante e ed egli ella entrambe entrambi era erano essa esse essendo essere essi fa
        finché fino fra fu furono già gli ha hai hanno ho i il in infatti invece io l la le lei li
        lo loro lui lungo ma mai me mediante mentre mi mia mie miei mio molta molte molti molto ne
        neanche negli nei nel nella nelle nello nemmeno neppure nessun nessuna nessuno niente noi
        non nostra nostre nostri nostro nulla né o od ogni ognuno oltre oppure per perché perciò
        però più poco poi poiché possono potrebbe potuto presso prima può qua qualche qualcosa
        qualcuno quale quali quando quanto quasi quegli quei quel quella quelle quelli quello
        questa queste questi questo qui quindi s saranno sarebbe sarebbero sarà se sebbene sempre
        senza si sia siamo siano siete sono sopra sotto stessa stesse stessi stesso su sua sue
        sugli sui sul sulla sulle sullo suo suoi tale tali tanto te ti tra tranne troppo tu tua
        tue tuo tuoi tutta tutte tutti tutto un una uno v verso vi voi vostra vostre vostri vostro
        è
    """,
    "nl": """
        aan achter al alle alleen alles als altijd ander andere anders beide ben bent bij binnen
        boven buiten daar daarbij daardoor daarin daarmee daarna daarom daarop daarvan daarvoor
        dan dat de deze die dit doch door dus echter een elk elke en enige enkele er eraan erop
        ervan eveneens ge geen geweest geworden gij haar had hadden hare heb hebben hebt heeft hem
        hen het hier hierdoor hij hoe hoewel hun ieder iedere iedereen iemand iets ik in indien is
        ja je jezelf jij jou jouw jullie kan kon konden kunnen kunt maar mag me mede mee meer met
        mij mijn mijne mocht mochten moest moesten moet moeten mogen na naar naast nadat nee
        niemand niet niets noch nog nooit nu of om omdat ondanks onder ons onze ook op over reeds
        sinds slechts steeds te tegen tegenover terwijl tijdens toch toen tot totdat tussen u uit
        uw van vanaf vanwege veel via voor vooral voordat waar waarbij waardoor waarin waarmee
        waarom waarop waarvan was wat wel welk welke werd werden wie wij wil wilde wilden willen
        word worden wordt zal ze zelf zelfs zich zichzelf zij zijn zo zoals zodat zonder zou
        zouden zowel zulke zullen één
    """,
    "no": """
        alle allerede alltid alt andre annen annet at av bare begge ble blei bli blir blitt både
        da de deg dem den denne der dere deres derfor det dets dette di din disse ditt du dykk
        dykkar då eg ein eit eller elles en enn ennå er et ett etter for fordi fra før ha hadde
        han hans har hennar henne hennes her hjå ho hos hoss hun hva hvem hver hvilke hvilken
        hvilket hvis hvor hvordan hvorfor i ikke ikkje ingen inn ja jeg kan korleis kun kunne kva
        kvar kven kvi kvifor man mange me med meg meget mellom men mi min mine mitt mot mye må
        måtte ned nei noe noen noko nokon nokor nokre nå når og også om opp oss over på samme seg
        selv si sia siden sin sine sitt sjøl skal skulle slik slike so som somme somt så sånn til
        um under ut uten var vart varte ved vere verte vi vil ville vore vors vort vår være vært å
    """,
    "pl": """
        a aby albo ale ani aż bardziej bardzo bez bo bowiem by być był była było były będzie będą
        chociaż choć ci cię co coś czy czyli dla dlaczego dlatego do gdy gdyby gdyż gdzie gdzieś
        go i ich ile im inna inne inny innych iż ja jak jakaś jaki jakie jakiś jako jakoś je jeden
        jednak jednakże jego jej jemu jest jestem jeszcze jeśli jeżeli już ją kiedy kim kto ktoś
        która które którego której który których którym którzy którą ku lecz lub ma mają mam mi
        mimo mnie mną mogą moi moja moje może możemy mu my mój na nad nam nami nas nasz nasza
        nasze naszego naszych natomiast nawet nic nich nie niech nigdy nim nimi nią niż no o obok
        od około on ona one oni ono oraz po pod podczas pomimo ponad ponieważ poza przed przede
        przez przy również sam sama się skąd sobie swoje swój są ta tak taka taki takie także tam
        te tego tej temu ten też to tobie tobą tu tutaj twoja twoje twój ty tych tylko tym u w was
        wasz wasza wasze we więc wszyscy wszystkich wszystkie wszystkim wszystko wy wśród z za
        zawsze zaś ze żaden żadna żadne żadnych że żeby
    """,
    "pt": """
        a ainda algo algum alguma algumas alguns alguém ali além ambas ambos ante antes ao aos
        apenas após aquela aquelas aquele aqueles aqui aquilo as assim até cada com comigo como
        contra contudo cuja cujas cujo cujos da daquela daquele das de dela delas dele deles
        depois desde dessa desse desta deste disso disto do dos durante e ela elas ele eles em
        embora enquanto entre então era eram essa essas esse esses esta estamos estar estas estava
        estavam este esteja estes esteve estive estou está estão eu foi foram fosse fui haver
        havia houve há isso isto já lhe lhes logo lá mais mas me mediante mesma mesmas mesmo
        mesmos meu meus mim minha minhas muita muitas muito muitos na nada nas nem nenhum nenhuma
        nessa nesse nesta neste ninguém no nos nossa nossas nosso nossos num numa nunca não nós o
        onde os ou outra outras outro outros para pela pelas pelo pelos per perante pode podem
        poderia podia pois por porque porquê porém pouco pôde quais qual qualquer quando quanta
        quanto quantos quase que quem quê se seja sejam sem sempre sendo ser seria será serão seu
        seus si sido sob sobre somos sou sua suas são só tal também tampouco tanto te tem temos
        tendo tenha tenho ter teu teus teve ti tinha tinham toda todas todavia todo todos trás tu
        tua tuas tudo têm um uma umas uns você vocês vos vossa vossas vosso vossos vós à às é
    """,
    "ru": """
        а без более бы был была были было быть в вам вами вас ваш ваша ваше ваши весь во вот все
        всегда всего всей всем всех всю вся всё вы где да даже для до его ее ей ему если есть еще
        ещё её же за здесь и из или им ими иногда их к каждая каждый как какая какие какой когда
        которая которого которое которой которую которые который которых кроме кто куда ли либо
        лишь между меня мне много мной мог могла могли могут может можно мои мой моя мы на над
        надо нам нами нас наш наша наше наши не него нее ней некоторые нельзя нем нему нет нею неё
        ни никогда никто них ничего но ну о об однако он она они оно от очень перед по под после
        потом потому почему почти при про разве с сам сама самая сами само самого самой самый свое
        своего своей свои своих свой свою себе себя со собой совсем так такая также такие такой
        там те тебе тебя тем теперь то тобой тогда того тоже той только том тот тут ты у уж уже
        хотя чего чей чем через что чтоб чтобы чуть чьё эта эти этим этих это этого этой этом этот
        эту я
    """,  # noqa: RUF001
    "sv": """
        all alla allt alltid att av bara bland blev bli blir blivit både de dem den denna dennes
        deras dess dessa det detta dig din dina ditt dock du där därför då efter eftersom ej eller
        en enligt er era ert ett från för förutom genom gentemot ha hade han hans har henne hennes
        hon honom hos hur här i icke inga ingen inget inom inte ja jag ju kan kring kunde kunna
        man med mellan men mig min mina mitt mot mycket många måste nej ni nog nu när någon något
        några nån och också om oss på redan samma samt sedan sig sin sina sitt själv ska skall
        skulle som så sådan sådana sådant till trots under upp ur ut utan utom vad var vara varför
        varit varje vars vart vem vems vi vid vilka vilkas vilken vilket vill ville vore vår våra
        vårt än ännu är åt över
    """,
}
LANGUAGES = frozenset(_WORDS)
"""The ISO 639-1 codes of the languages with a list of their own."""


@cache
def function_words(code: str) -> frozenset[str]:
    """The lower-case function words of a language; without a list of its own, its stop words.

    Args:
        code: an ISO 639-1 code of `mesh.nlp.stop_words.LANGUAGES`.

    Raises:
        KeyError: the code is not one of them.
    """
    return frozenset(_WORDS[code].split()) if code in _WORDS else stop_words(code)
