"""Tells teams from the places that they are named after: "England" plays, "in England" is a place."""

from collections import Counter
from functools import lru_cache

import regex

from entity_fishing.reading import Reading

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
    "penalties uefa fifa bundesliga halftime scorers qualifier qualifiers defender defenders derby",
    _ANY: "v vs league division playoff playoffs standings pct fixtures squad lineup coach captain "
    "premiership unbeaten relegation substitute referee umpire attendance club clubs drawn",
    _SINGLE: "tennis golf golfer athletics cycling cyclist boxing boxer heavyweight squash badminton "
    "swimming skiing skier sprint sprinter metres marathon prix motorcycling rowing gymnastics "
    "wrestling chess seed seeded",
}
_CUES = {word: sport for sport, words in _WORDS.items() for word in words.split()}
_TEAM = regex.compile(r"\b(?:team|club|franchise)\b", regex.IGNORECASE)
# Words that name a sport tell more.
_NAMES = frozenset("soccer baseball basketball cricket rugby nfl nba nhl hockey".split())
# Of a long text, one word alone may be there by chance.
_MOST_FOR_ONE = 60
# Before the name of a place. "At", "to" and "over" as often stand before teams.
_PREPOSITIONS = frozenset(
    "in from near of outside inside into through throughout across around via".split()
)


def sports_of(reading: Reading) -> frozenset[str]:
    """The team sports that a text reports on, with "any" among them; empty if on none.

    A sport has at least half as many words as the first one.
    """
    words = [reading.word(index).lower() for index in range(len(reading.words))]
    cues = (word for word in words if word in _CUES)
    counts = Counter[str]()
    for word in cues:
        counts[_CUES[word]] += 1 + (word in _NAMES)
    single, general = counts.pop(_SINGLE, 0), counts.pop(_ANY, 0)
    least = 2 if len(words) > _MOST_FOR_ONE else 1
    if single >= (together := counts.total() + general) or together <= least:
        return frozenset((_ANY,)) if single < together == least and counts else frozenset()
    most = max(counts.values(), default=0)
    found = (sport for sport, count in counts.items() if count >= max(least, most / 2))
    return frozenset((_ANY, *found))


@lru_cache(maxsize=50_000)
def sport_of_team(description: str) -> str | None:
    """The sport of a team with this description; None if it isn't one's."""
    if not _TEAM.search(description):
        return None
    return next((sport for sport, words in _DESCRIBED.items() if words.search(description)), None)


def is_placed(reading: Reading, start: int, end: int) -> bool:
    """Whether the words around a name say that it is where something is.

    They do after a preposition, in parentheses as behind the name of a player, and where the name
    in capital letters begins a report.
    """
    before, after = reading.text[:start].rstrip()[-1:], reading.text[end:].lstrip()[:1]
    if before == "(" or after == ")":
        return True
    index = reading.index(start)
    if index and reading.word(index - 1).lower() in _PREPOSITIONS:
        return True
    return reading.text[start:end].isupper() and index in reading.datelines
