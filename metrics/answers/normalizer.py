"""How the official VQA script reads an answer before comparing it, quirks included.

The quirks are part of the metric: every published VQA accuracy contains them, so they are kept, and named.
"""

from __future__ import annotations

import re

_PUNCTUATION = frozenset(';/[]"{}()=+\\_-><@`,?!')
_THOUSANDS = re.compile(r"\d,\d")
_THOUSANDS_LMMS_EVAL = re.compile(r"\d,+\d")
# Quirk: meant as "neither after nor before a digit", the script's look-behind is mistyped and always
# true, so a period goes unless a digit follows. Quirk: its flag re.UNICODE, 32, is passed where `sub`
# takes a count, so only the first 32 periods go.
_PERIOD = re.compile(r"\.(?!\d)")
_PERIODS_REMOVED = int(re.UNICODE)

_WORDS = "zero one two three four five six seven eight nine ten"
_NUMBERS = {"none": "0"} | {word: str(number) for number, word in enumerate(_WORDS.split())}
_CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't
    he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't
    must've needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've
    somebody'd've somebody'll somebody's someone'd someone'd've someone'll someone's something'd
    something'd've something'll that's there'd there'd've there're there's they'd they'd've they'll they're
    they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd where's where've
    who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll
    y'all'd've you'd you'd've you'll you're you've
"""
# A word that lacks one of its apostrophes gets it back. Quirk: "somebody'd" loses its own.
_SPELLINGS = {
    word[:place] + word[place + 1 :]: word
    for word in _CONTRACTIONS.split()
    for place, letter in enumerate(word)
    if letter == "'"
}
_SPELLINGS["somebody'd"] = "somebodyd"
_READ_AS = _NUMBERS | _SPELLINGS | dict.fromkeys(("a", "an", "the"), "")


def trimmed(answer: str) -> str:
    """The answer on one line, without space around it: all that is done where annotators are unanimous."""
    return answer.replace("\n", " ").replace("\t", " ").strip()


def normalized(answer: str) -> str:
    """A trimmed answer without punctuation, articles and number words, lower-cased.

    >>> normalized("The two-storey house"), normalized("Its 5."), normalized("dont, know"), normalized("None")
    ('2 storey house', 'its 5', "don't know", '0')
    """
    if answer.isalnum():  # a single plain word, as most answers are
        word = answer.lower()
        return _READ_AS.get(word, word)
    if answer.replace(" ", "").isalnum():  # several of them
        return _plain_words(answer)
    return _plain_words(_without_punctuation(answer, _THOUSANDS))


def vqa_normalized(answer: str) -> str:
    """An answer as the official VQA script compares it: on one line, and normalised, quirks included.

    >>> vqa_normalized(" The two dogs. "), vqa_normalized("None"), vqa_normalized("dont")
    ('2 dogs', '0', "don't")
    """
    return normalized(trimmed(answer))


def normalized_lmms_eval(answer: str) -> str:
    """The same as lmms-eval does it: it differs where several commas stand between two digits."""
    return _plain_words(_without_punctuation(answer, _THOUSANDS_LMMS_EVAL))


def _without_punctuation(answer: str, thousands: re.Pattern[str]) -> str:
    # Quirk: a mark that stands beside a space anywhere is deleted everywhere, one that never does becomes
    # a space; and a comma between digits ("1,000") has all marks deleted.
    plain, marks = answer, _PUNCTUATION.intersection(answer)
    delete_all = "," in marks and thousands.search(answer) is not None
    for mark in marks:
        delete = delete_all or f"{mark} " in answer or f" {mark}" in answer
        plain = plain.replace(mark, "" if delete else " ")
    return _PERIOD.sub("", plain, count=_PERIODS_REMOVED) if "." in plain else plain


def _plain_words(answer: str) -> str:
    words = [_READ_AS.get(word, word) for word in answer.lower().split()]
    return " ".join([word for word in words if word])
