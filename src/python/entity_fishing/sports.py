"""Tells teams from the places that they are named after: "England" plays, "in England" is a place."""

from collections import defaultdict
from functools import lru_cache

import regex

from entity_fishing.reading import Reading
from entity_fishing.schema import Language

# How descriptions of entities name the sport of a team.
_DESCRIBED = {
    sport: regex.compile(rf"\b(?:{words})\b", regex.IGNORECASE)
    for sport, words in (
        ("american football", "american football|canadian football|nfl"),
        ("baseball", "baseball"),
        ("basketball", "basketball"),
        ("cricket", "cricket"),
        ("hockey", "hockey"),
        ("rugby", "rugby"),
        ("football", "football|soccer"),
    )
}
# Words of reports on each sport, on any of them, and on sports of single players.
_ANY = "any"
_SINGLE = "single"
_WORDS = {
    "american football": "nfl quarterback quarterbacks touchdown touchdowns linebacker cornerback "
    "fumble punt sacked interception interceptions",
    "baseball": "baseball inning homer homers homered pitcher pitchers pitched shortstop batter "
    "batters outfielder bullpen reliever rbi hitter hitters",
    "basketball": "basketball nba rebound rebounds dunk backcourt pointer pointers",
    "cricket": "cricket cricketer cricketers wicket wickets innings overs batsman batsmen bowled "
    "bowler bowlers bowling lbw stumps batted batting",
    "hockey": "hockey nhl puck goaltender goaltenders",
    "rugby": "rugby scrum scrums flanker lineout lineouts prop tries",
    "football": "soccer football footballer footballers striker strikers midfield midfielder "
    "midfielders goalkeeper goalkeepers goal goals goalless equaliser equalised equalizer penalty "
    "penalties uefa fifa bundesliga liga halftime scorers qualifier qualifiers defender defenders "
    "derby",
    _ANY: "v vs league division playoff playoffs standings pct fixtures squad lineup coach captain "
    "premiership unbeaten relegation substitute referee umpire attendance club clubs drawn "
    "cup match matches semifinal semifinals beat beats scored",
    _SINGLE: "tennis golf golfer athletics cycling cyclist boxing boxer heavyweight squash badminton "
    "swimming skiing skier sprint sprinter metres marathon prix motorcycling rowing gymnastics "
    "wrestling chess seed seeded",
}
_CUES = {word: sport for sport, words in _WORDS.items() for word in words.split()}
_TEAM = regex.compile(r"\b(?:team|club|franchise)\b", regex.IGNORECASE)
# Words that name a sport tell more.
_NAMES = frozenset("soccer baseball basketball cricket rugby nfl nba nhl hockey".split())
# Words that have other meanings too, so they count half.
_AMBIGUOUS = frozenset(
    "goal goals penalty penalties defender defenders derby tries prop overs stumps pointer pointers "
    "batter punt pitched".split()
)
# In a longer text, a few of the words may be there by chance.
_SHORT_TEXT = 60
_CUES_A_WORD = 1 / 150
# A name with a score, and other names or figures behind it.
_RESULT = regex.compile(r"\p{L} \d{1,3}(?= [\p{Lu}\d])")
_RESULTS = 6
_RESULTS_A_WORD = 1 / 20
# Characters beside a name in which a parenthesis may stand.
_BESIDE = 3
# Before the name of a place. "At", "to" and "over" as often stand before teams.
_PREPOSITIONS = frozenset(
    "in from near of outside inside into through throughout across around via".split()
)


def sports_of(reading: Reading) -> frozenset[str]:
    """The team sports that an English text reports on, with "any" among them; empty if on none."""
    if reading.language != Language.ENGLISH:
        return frozenset()
    words = [reading.word(index).lower() for index in range(len(reading.words))]
    counts: dict[str, float] = defaultdict(float)
    general = set()
    for word in words:
        sport = _CUES.get(word)
        if sport == _ANY:
            general.add(word)
        elif sport:
            counts[sport] += 2 if word in _NAMES else 0.5 if word in _AMBIGUOUS else 1
    single = counts.pop(_SINGLE, 0)
    together = sum(counts.values()) + len(general)
    is_short = len(words) <= _SHORT_TEXT
    needed = (1 if counts else 2) if is_short else max(3, len(words) * _CUES_A_WORD)
    results = len(_RESULT.findall(reading.text))
    is_table = results >= max(_RESULTS, len(words) * _RESULTS_A_WORD)
    if not is_table and (together < needed or single >= together):
        return frozenset()
    least = max(0 if is_short else 2, max(counts.values(), default=0) / 2)
    return frozenset((_ANY, *(sport for sport, count in counts.items() if count >= least)))


@lru_cache(maxsize=50_000)
def sport_of_team(description: str) -> str | None:
    """The sport of a team with this description; None if it isn't one's."""
    if not _TEAM.search(description):
        return None
    return next((sport for sport, words in _DESCRIBED.items() if words.search(description)), None)


def is_placed(reading: Reading, start: int, end: int) -> bool:
    """Whether the words around a name say that it is where something is.

    They do after a preposition, in parentheses as behind the name of a player, and where the name
    begins a report: "BATH, England 1996-08-30".
    """
    before = reading.text[max(0, start - _BESIDE) : start].rstrip()[-1:]
    after = reading.text[end : end + _BESIDE].lstrip()[:1]
    if before == "(" or after == ")":
        return True
    index = reading.index(start)
    if index in reading.datelines:
        return True
    if not index:
        return False
    word = reading.word(index - 1)
    if word.lower() in _PREPOSITIONS:
        return True
    return before == "," and word.isupper() and not reading.text[start:end].isupper()
