"""Cuts a streamed answer into what the voice speaks at one go. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from app.messages import Cue
from app.policy.cues import cues_of, moved

FIRST_MIN_CHARS = 10
FIRST_MIN_WORDS = 2
FIRST_MAX_CHARS = 100
MIN_CHARS = 20
MAX_CHARS = 180

_THINK_OPEN, _THINK_CLOSE = "<think>", "</think>"
_MAX_MARKUP_CHARS = 120
"""An asterisk or bracket that is not closed within this many characters is just a character."""

_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        "mr mrs ms dr prof st sr jr vs etc e.g i.e eg ie no vol fig inc ltd co dept approx cf al "
        "jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s u.k",
    )
)
_ENDS = ".!?…"
_FULL_WIDTH_ENDS = "。！？।"
_CLAUSE_MARKS = ",;:"
_CLOSERS = "\"'”’)]*_»"
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2300-\u23ff\u25a0-\u25ff"
    "\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f\u3030\u303d\u3297\u3299]+"
)
_EMOTICON = re.compile(r"(?<!\S)(?:[:;=8xX][-'^]?[)(DPpO0/\\|3]|<3|\^_?\^|[oO]_[oO]|T_T|:'\()(?!\w)")
_ACTION_WORDS = re.compile(
    r"(?:laugh|giggl|chuckl|smil|sigh|wink|wav|nod|blush|grin|gasp|cough|shrug|clap|pout|smirk|whisper|bow|hug|yawn|sniff"
    r"|hum|sing|paus|claps|jump|danc|tilt|roll|look|lean|cheer|excited)\w*",
    re.IGNORECASE,
)
_LINK = re.compile(r"\[([^\]\n]*)\]\((?:[^)\s]*)\)")
_LINE_START = re.compile(r"^\s*(?:#{1,6}\s+|>\s+|[-*+•]\s+|\d{1,2}[.)]\s+)")


def clean(text: str) -> str:
    """Plain words of one sentence: no Markdown, emoji or emoticons; spaces single. "" where no word is left."""
    lines = [_LINE_START.sub("", line).strip() for line in text.splitlines()]
    text = "".join(line + (". " if line[-1:].isalnum() and i < len(lines) - 1 else " ") for i, line in enumerate(lines))
    text = _LINK.sub(r"\1", text)
    text = _EMOJI.sub(" ", _EMOTICON.sub(" ", text))
    text = re.sub(r"<\|[^|>]*\|>|</?[a-zA-Z][^<>]*>", " ", text)
    text = re.sub(r"\*+|`+|~~|(?<!\w)_+|_+(?!\w)", "", text)
    text = " ".join(text.split())
    text = re.sub(r"\s+([,.!?;:…])", r"\1", text)
    return text if re.search(r"\w", text) else ""


class _MarkupFilter:
    """Takes out `<think>…</think>`, code blocks, *actions* and [tags], wherever the chunks are cut.

    What tags and actions mean for the face is kept in `cues`, each at its place in all that was let through.
    """

    def __init__(self) -> None:
        self.cues: list[Cue] = []
        self._pending = ""
        self._passed = 0
        self._hidden_until: str | None = None
        self._before = ""
        """The last characters that were let through, to know what an asterisk stands after."""

    def feed(self, piece: str) -> str:
        self._pending += piece
        return self._let_through(final=False)

    def finish(self) -> str:
        return self._let_through(final=True)

    def _let_through(self, final: bool) -> str:
        out: list[str] = []
        while self._pending:
            if self._hidden_until is not None:
                end = self._pending.find(self._hidden_until)
                if end < 0:
                    # What may be the beginning of the closing mark stays.
                    self._pending = "" if final else self._pending[-(len(self._hidden_until) - 1) :]
                    break
                self._pending = self._pending[end + len(self._hidden_until) :]
                self._hidden_until = None
                continue
            at = re.search(r"[<`*\[(]", self._pending)
            if at is None:
                self._emit(out, len(self._pending))
                break
            self._emit(out, at.start())
            if not self._take_markup(out, final):
                break
        return "".join(out)

    def _emit(self, out: list[str], length: int) -> None:
        if length:
            out.append(self._pending[:length])
            self._passed += length
            self._before = (self._before + self._pending[:length])[-40:]
            self._pending = self._pending[length:]

    def _take_markup(self, out: list[str], final: bool) -> bool:
        """Deal with the mark at the start of `_pending`; False if more text is needed to know what it is."""
        pending = self._pending
        for opening, closing in ((_THINK_OPEN, _THINK_CLOSE), ("```", "```")):
            if pending.startswith(opening):
                self._pending = pending[len(opening) :]
                self._hidden_until = closing
                return True
            if opening.startswith(pending) and not final:
                return False
        if pending.startswith(_THINK_CLOSE):
            # Some templates open the thought in the prompt, so only its end is seen.
            self._pending = pending[len(_THINK_CLOSE) :]
            self._passed -= sum(map(len, out))
            self.cues = [cue for cue in self.cues if cue.at_char < self._passed]
            out.clear()
            return True
        if _THINK_CLOSE.startswith(pending) and not final:
            return False
        mark = pending[0]
        if mark in "<`":
            self._emit(out, 1)
            return True
        if mark == "*" and not final and len(pending) < 3:
            return False
        if pending.startswith("**") or (mark == "*" and pending[1:2].isspace()):
            # Bold, or a list's bullet: `clean` removes the marks and keeps the words.
            self._emit(out, len(pending) - len(pending.lstrip("*")))
            return True
        closing = {"*": "*", "[": "]", "(": ")"}[mark]
        end = pending.find(closing, 1)
        newline = pending.find("\n", 1)
        if end < 0 or (0 <= newline < end):
            if not final and newline < 0 and len(pending) < _MAX_MARKUP_CHARS:
                return False
            self._emit(out, 1)
            return True
        inside = pending[1:end].strip()
        if mark == "[" and not final and len(pending) == end + 1:
            return False
        if mark == "[" and pending[end + 1 : end + 2] == "(":
            url_end = pending.find(")", end)
            if url_end < 0 and not final and len(pending) < end + 300:
                return False
            self._pending = inside + pending[url_end + 1 if url_end >= 0 else end + 1 :]
            self._emit(out, len(inside))
            return True
        is_action = {
            "*": self._is_action(inside),
            "[": True,
            "(": bool(_ACTION_WORDS.match(inside)) and len(inside.split()) <= 4,
        }[mark]
        if is_action:
            self.cues += moved(cues_of(inside), self._passed)
            self._pending = pending[end + 1 :]
            if self._before[-1:].isspace() or not self._before:
                self._pending = self._pending.lstrip(" ")
            return True
        self._emit(out, end + 1)
        return True

    def _is_action(self, inside: str) -> bool:
        """*smiles* is an action; the word in "I *really* mean it" is stressed."""
        words = inside.split()
        if not words:
            return True
        if len(words) > 1 or _ACTION_WORDS.match(words[0]) or words[0].endswith("ing"):
            return True
        before = self._before.rstrip()
        return not before or before[-1] in ".!?…\n"


class Chunk(NamedTuple):
    """What the voice speaks at one go, and what the face does at which of its words."""

    text: str
    cues: tuple[Cue, ...]


class SentenceSplitter:
    """Feed it pieces of an answer; it returns chunks that are ready to be spoken.

    The first chunk is cut at the first clause mark, so that the voice can start early; later ones are whole sentences.
    Never cuts inside a number, an abbreviation, an address, a quotation or a bracket (unless it grows past MAX_CHARS).
    """

    def __init__(self) -> None:
        self._filter = _MarkupFilter()
        self._text = ""
        self._taken = 0
        self._first = True

    def feed(self, piece: str) -> list[str]:
        """Take the next piece of the stream; chunks that are complete now, without their cues."""
        return [chunk.text for chunk in self.feed_chunks(piece)]

    def finish(self) -> list[str]:
        """The stream is over: what is left, without its cues."""
        return [chunk.text for chunk in self.finish_chunks() if chunk.text]

    def feed_chunks(self, piece: str) -> list[Chunk]:
        """Take the next piece of the stream; chunks that are complete now."""
        self._text += self._filter.feed(piece)
        return self._take(final=False)

    def finish_chunks(self) -> list[Chunk]:
        """The stream is over: what is left. Cues after the last word may come in a chunk without text."""
        self._text += self._filter.finish()
        chunks = self._take(final=True)
        if self._filter.cues:
            chunks.append(Chunk("", moved(self._filter.cues, 0)))
            self._filter.cues = []
        return chunks

    def _take(self, final: bool) -> list[Chunk]:
        chunks: list[Chunk] = []
        while self._text.strip():
            cut = self._cut(final)
            if cut is None:
                if not final:
                    break
                cut = len(self._text)
            raw, self._text = self._text[:cut], self._text[cut:]
            is_end = final and not self._text.strip()
            text = clean(raw)
            if text:
                chunks.append(Chunk(text, self._cues_of(raw, text, is_end)))
                self._first = False
            self._taken += cut
        return chunks

    def _cues_of(self, raw: str, text: str, is_end: bool) -> tuple[Cue, ...]:
        """The cues that stand in `raw`, at their words in `text`. One at the cut belongs to what follows."""
        ripe = [cue for cue in self._filter.cues if cue.at_char < self._taken + len(raw) or is_end]
        self._filter.cues = self._filter.cues[len(ripe) :]
        placed: list[Cue] = []
        for cue in ripe:
            at = min(len(text), len(clean(raw[: max(0, cue.at_char - self._taken)])))
            while at < len(text) and text[at].isspace():
                at += 1
            placed += moved([cue], at)
        return tuple(placed)

    def _cut(self, final: bool) -> int | None:
        """Where to cut the text that is waiting; None if no place is known yet."""
        text = self._text
        clause: int | None = None
        for end, is_sentence in _marks(text, final):
            said = clean(text[:end])
            if self._first and len(said) >= FIRST_MIN_CHARS and len(said.split()) >= FIRST_MIN_WORDS:
                return end
            if len(said) > MAX_CHARS:
                return clause or self._space_before(MAX_CHARS) or end
            if is_sentence and not self._first and len(said) >= MIN_CHARS:
                return end
            if len(said) >= MIN_CHARS:
                clause = end
        limit = FIRST_MAX_CHARS if self._first else MAX_CHARS
        if len(text) > limit + 20:
            return clause or self._space_before(limit) or limit
        return None

    def _space_before(self, limit: int) -> int | None:
        at = self._text.rfind(" ", MIN_CHARS, limit)
        return at + 1 if at > 0 else None


def _marks(text: str, final: bool) -> list[tuple[int, bool]]:
    """(index just after the mark and its closers, whether a sentence ends there), in order.

    A mark at the very end of the text counts only where `final`: "$29." may go on with "95".
    """
    marks: list[tuple[int, bool]] = []
    open_quote: str | None = None
    depth = 0
    i = 0
    while i < len(text):
        char = text[i]
        if char == '"':
            open_quote = None if open_quote else '"'
        elif char == "“":
            open_quote = "”"
        elif char == "”":
            open_quote = None
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth = max(0, depth - 1)
        elif char == "\n":
            if text[:i].strip():
                marks.append((i + 1, True))
            open_quote, depth = None, 0
        elif char in _ENDS + _FULL_WIDTH_ENDS + _CLAUSE_MARKS + "—–-":
            end = i + 1
            while end < len(text) and text[end] in _ENDS + _FULL_WIDTH_ENDS:
                end += 1
            run_end = end
            quote, inner = open_quote, depth
            while end < len(text) and text[end] in _CLOSERS:
                if text[end] == quote:
                    quote = None
                elif text[end] in ")]":
                    inner = max(0, inner - 1)
                elif text[end] == '"':
                    break
                end += 1
            if quote is None and inner == 0 and _is_border(text, i, end, final):
                marks.append((end, _ends_sentence(text, i, end)))
                open_quote, depth = None, 0
                i = end
            else:
                i = run_end
            continue
        i += 1
    return marks


def _is_border(text: str, at: int, end: int, final: bool) -> bool:
    char = text[at]
    if char in _FULL_WIDTH_ENDS or (char == "—" and end < len(text)):
        return True
    if end >= len(text):
        return final
    if not text[end].isspace():
        return False
    if not final and _may_go_on(text, at, end) and not text[end:].strip():
        return False
    if char in "–-":
        # Between spaces a dash, at a line's start a bullet.
        return text[at - 1 : at] == " " and text[:at].rstrip(" ")[-1:] not in ("", "\n")
    if char == "." and end == at + 1:
        word = re.search(r"[^\s(\"“]*$", text[:at])
        token = word.group().lower() if word else ""
        if token in _ABBREVIATIONS or re.fullmatch(r"(?:[a-z]\.)*[a-z]", token):
            return token == "i" and not text[end:].lstrip()[:1].isalpha()
        if token.isdigit() and (not text[: at - len(token)].strip() or text[: at - len(token)].endswith("\n")):
            return False
    return True


def _ends_sentence(text: str, at: int, end: int) -> bool:
    if text[at] in _CLAUSE_MARKS + "—–-":
        return False
    return not (_may_go_on(text, at, end) and text[end:].lstrip()[:1].islower())


def _may_go_on(text: str, at: int, end: int) -> bool:
    """Whether a small letter after this mark would mean that the sentence goes on: "Hmm... well", "“Stop!” he said"."""
    return text[at] == "…" or text[at : at + 2] == ".." or text[end - 1] in _CLOSERS
