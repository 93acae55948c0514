"""What people need to know of ner's models, and what may replace `prod`."""

from mesh.lifecycle.about import About, PromoteIf

ABOUT = About(
    intended_use=(
        "Finding the names of persons, organisations, places and other things in English texts such "
        "as news, posts, reviews and messages of customers, for search, indexing and statistics."
    ),
    unfit=(
        "Removing personal data where a single missed name does harm.",
        "Decisions about persons, or telling who a named person is.",
        "Texts in languages that the model was not trained on.",
    ),
    limits=(
        "Sports teams that are named after their town are taken for the place in plain sentences.",
        "Slang, interjections and sentences in other languages, in posts, are taken for names.",
        "Titles of films, songs and games without capitals, and firms that are called by a word of "
        "everyday language, are missed.",
        "Compounds such as anti-Trump and Nagorno-Karabakh are often split or joined wrongly.",
        "Most sentences of the shipped data are invented, so names of some origins may be rarer in it "
        "than in the world.",
    ),
    data=(
        "The shipped data is 5,431 English texts with the spans of their entities, written for this "
        "project; no text comes from a corpus."
    ),
    data_licence="Apache-2.0",
)

PROMOTE_IF = PromoteIf(scores={"f1": 0.01}, slices=0.05)
