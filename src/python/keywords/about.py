"""What people need to know of keywords' models."""

from mesh.lifecycle.about import About

ABOUT = About(
    intended_use=(
        "Finding the words and phrases that stand for a document best, for search, tagging and "
        "overviews of many documents."
    ),
    unfit=(
        "Summaries, or statements about what a document claims.",
        "Decisions about persons on the ground of the words that they use.",
    ),
    limits=(
        "Keywords are words of the document: a subject that it doesn't name isn't found.",
        "The encoder was trained on English; in other languages, similarity says less.",
        "Scores compare the words of one document, not documents with each other.",
    ),
)
