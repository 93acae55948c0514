import pytest
import tokenizers
import torch
import transformers

from sentiment.emoji_vocabulary import add_emoji, emoji

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "heart", "broken", "fire", "thumbs", "up", "a"]


@pytest.fixture
def base(tmp_path):
    """A network with random weights, and a vocabulary of few words."""
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    return tmp_path


def embeddings(folder):
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
    return model.get_input_embeddings().weight.detach()


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u2764", "heart"),
        ("\U0001f494", "broken heart"),
        ("\U0001f44d", "thumbs up"),
        ("\U0001f926", "face palm"),
        ("\U0001f600", "grinning face"),
        ("\U0001f3fd", "modifier fitzpatrick type-4"),
    ],
)
def test_emoji_have_the_telling_words_of_their_names(character, name):
    assert emoji()[character] == name


def test_letters_and_marks_are_no_emoji():
    assert not {"a", "!", "\u4e2d", "+", "\ufe0f", "\u200d"} & emoji().keys()


def test_emoji_are_words_close_to_those_of_their_names(base):
    old = embeddings(base)
    add_emoji(base)
    tokenizer = tokenizers.Tokenizer.from_file(str(base / "tokenizer.json"))
    new = embeddings(base)
    assert len(new) == tokenizer.get_vocab_size() == len(WORDS) + len(emoji())
    assert torch.equal(new[: len(old)], old)
    center = old.mean(dim=0)
    found = new[tokenizer.token_to_id("\U0001f494")] - center
    wanted = old[[WORDS.index("broken"), WORDS.index("heart")]].mean(dim=0) - center
    assert torch.cosine_similarity(found, wanted, dim=0) == pytest.approx(1, abs=1e-5)
    usual = (old - center).norm(dim=1).mean()
    assert found.norm().item() == pytest.approx(usual.item(), rel=1e-4)
    assert tokenizer.encode("a \u2764").tokens == ["a", "\u2764"]


def test_second_time_changes_nothing(base):
    add_emoji(base)
    once = (base / "tokenizer.json").read_bytes()
    add_emoji(base)
    assert (base / "tokenizer.json").read_bytes() == once
