"""What people need to know of sentiment's models, and what may replace `prod`."""

from mesh.lifecycle.about import About, PromoteIf

ABOUT = About(
    intended_use=(
        "Telling whether English texts are negative, neutral or positive, and the same of what they "
        "say about given entities: reviews, short posts, messages of customers and news, counted or "
        "sorted in large numbers."
    ),
    unfit=(
        "Decisions about a single person, or about one text without a look at it.",
        "Texts in languages that the model was not trained on.",
        "Emotions, stances, irony on its own, or the truth of a statement.",
    ),
    limits=(
        "A text that praises and blames is called neutral in two of five held-out cases.",
        "Good and bad news, comparisons, stretched words and negated advice are right in three of "
        "five held-out cases, unmet wishes in one of four.",
        "Critics' neutral sentences are mostly called positive or negative, and posts that only "
        "mention something often negative.",
        "An entity that is compared has the sentiment of the clause, not its own.",
        "Each domain of the shipped data is a few writers' idea of it, and one person gave one label "
        "to each text.",
    ),
    data=(
        "The shipped data is 12,572 English texts, from single words to paragraphs, written for this "
        "project; no text comes from a corpus."
    ),
    data_licence="Apache-2.0",
)

PROMOTE_IF = PromoteIf(scores={"macro_f1": 0.01}, slices=0.05)
