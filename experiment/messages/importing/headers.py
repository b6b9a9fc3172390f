"""What columns of messages are called, in many languages; how names are compared, and told from somebody's words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import regex

from experiment.messages.names import plain

FIELDS = ("subject", "writer", "relationship", "language", "text", "participant_name", "source")
NEEDED = ("subject", "writer", "relationship", "text")

# Names that say it alone.
ALONE = {
    "subject": """
        subject | subject id | sub | participant | participant id | participant code | participantid | pid |
        id participant | identifiant | ppt | ppt id | study id | for | teilnehmer | teilnehmer id | teilnehmernummer |
        teilnehmercode | versuchsperson | vp | vp nummer | vp code | proband | code participant | fur | fuer |
        numero participant | sujet | pour | participante | id participante | sujeto | codigo participante | para |
        partecipante | soggetto | deelnemer | deelnemer id | deltagare | deltager | deltagernummer |
        uczestnik | osallistuja | 被験者 | 被験者番号 | 参加者id | 被试 | 被试编号 | 참가자 | участник
    """,
    "writer": """
        writer | writer name | author | author name | sender | sender name | sent by | from | from whom | written by |
        loved one | loved one name | your name | first name | absender | absenderin | verfasser | verfasserin | autor |
        autorin | ihr name | vorname | autora | von | von wem | schreiber | schreiberin | auteur | expediteur |
        expeditrice | de la part de | votre nom | prenom | remitente | de parte de | su nombre | tu nombre | mittente |
        autore | schrijver |
        afzender | avsandare | afsender | nadawca | lahettaja | 差出人 | 書き手 | 作者 | 寄信人 | 보낸사람 | автор |
        отправитель
    """,
    "relationship": """
        relationship | relation | relationship to participant | relation to participant | rel | role |
        who are you | beziehung | verhaltnis | verwandtschaft | relation avec le participant | lien |
        lien avec le participant | lien de parente | relacion | parentesco | vinculo | relazione | parentela |
        relatie | relacja | forhold | suhde | 続柄 | 関係 | 关系 | 關係 | 관계 | отношение
    """,
    "language": """
        language | lang | userlanguage | message language | language code | sprache | langue | idioma |
        lengua | lingua | taal | sprak | sprog | jezyk | kieli | 言語 | 语言 | 語言 | 언어 | язык
    """,
    "text": """
        text | message | message text | messages | your message | letter | your letter | note | nachricht |
        nachrichtentext | ihre nachricht | brief | ihr brief | botschaft | message texte | texte | votre message |
        lettre | mensaje | su mensaje | tu mensaje | texto | carta | mensagem | messaggio | testo | lettera |
        bericht | boodschap | meddelande | besked | melding | wiadomosc | viesti | メッセージ | 本文 | 手紙 |
        留言 | 消息 | 信息 | 信 | 메시지 | 편지 | сообщение | текст | письмо
    """,
    "participant_name": """
        participant name | name of participant | name of the participant | recipient | recipient name |
        teilnehmername | name des teilnehmers | name der teilnehmerin | empfanger | empfangerin |
        nom du participant | prenom du participant | destinataire | nombre del participante | destinatario |
        destinataria | naam deelnemer | ontvanger
    """,
    "source": """
        source | message source | source of the message | quelle | fuente | fonte | bron | kalla | kilde | zrodlo | 来源
    """,
}

# Words that say it within a longer name, or in a form's question.
WITHIN = {
    "subject": """
        teilnehmernummer | teilnehmercode | teilnehmerkennung | probandennummer | external data reference
    """,
    "writer": """
        your name | your first name | writer | sender | name of the sender | are you called | ihr name | dein name |
        ihren namen | deinen namen | heissen sie | heisst du | absender | absenders | absenderin | verfasser |
        verfassers | votre nom | votre prenom | ton prenom | ton nom | de l expediteur | vous appelez vous |
        su nombre | tu nombre | remitente | se llama usted | te llamas | il tuo nome | mittente | uw naam | je naam
    """,
    "relationship": """
        relationship | related to | relation | how do you know | beziehung | verhaltnis | verwandtschaft |
        woher kennen sie | wie stehen sie | lien | relacion | parentesco | parentela | relatie
    """,
    "language": """
        language | sprache | langue | idioma | lingua | taal
    """,
    "text": """
        message | letter | nachricht | botschaft | brief | mensaje | carta | lettre | messaggio | lettera |
        bericht | mensagem
    """,
    "participant_name": """
        participant s name | participants name | name of the participant | name der teilnehmerin |
        name des teilnehmers | nom du participant | prenom du participant | nombre del participante
    """,
    "source": "",
}
# "Participant's study number", "Teilnehmer-Nr.", "N° du participant", "ID del participante": whose, and a code's name.
WHOSE = (
    r"(?:participants?|subjects?|teilnehmer(?:in|s)?|proband(?:en|in)?|versuchsperson|vp|sujet|participante|sujeto|"
    r"partecipante|deelnemer)"
)
CODE = r"(?:id|code|kode|number|no|nr|nummer|kennung|numero|num|n|codigo|codice)"
CODE_OF = regex.compile(rf"\b(?:{WHOSE}(?: \w+){{0,2}} {CODE}|{CODE}(?: \w+){{0,2}} {WHOSE})\b")

NUMBER = regex.compile(r"(?<!\d)\d{1,2}(?!\d)")
"""What tells columns of one kind apart, anywhere in their names: `message_2`, `lo2_message`, `Person 2 - Message`."""

LONGEST_NAME = 60  # characters; a longer one is no column's name but somebody's text
MOST_WORDS = 10  # of a question that stands in place of a name
SENTENCE = regex.compile(r"(?=(?:\S+\s+){3}\S).*(?:[.!…]$|[,;]\s)", regex.DOTALL)
IN_BRACKETS = regex.compile(r"\([^()]*\)")  # such as (mother, friend ...): of names too
FIRST = 10  # rows among which the header is looked for
ID_LIKE = regex.compile(r"(?=.*\d)[\w.-]{1,32}")


def header_at(rows: Sequence[Sequence[str]]) -> int | None:
    """Which of the first rows is certainly the header, or None. What stands above it are titles, of fewer cells."""
    counts = [sum(1 for cell in row if cell.strip()) for row in rows[:FIRST]]
    for at, row in enumerate(rows[:FIRST]):
        if _is_header(row, rows[at + 1 : FIRST]):
            return at if all(2 * count <= counts[at] for count in counts[:at]) else None
    return None


def _is_header(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row certainly has names of columns; somebody's words may stand there instead, and are never shown.

    Two cells are names of different fields; or two have a field's words in them, and no cell looks like an ID.
    """
    return _name_two(cells, alone=True) or (
        _name_two(cells, alone=False) and not any(_is_id(cells[at], at, below) for at in range(len(cells)))
    )


def _name_two(cells: Sequence[str], *, alone: bool) -> bool:
    named = [fields for cell in cells if (fields := _fields(cell, alone=alone))]
    return len(named) > 1 and len(set().union(*named)) > 1


def _fields(cell: str, *, alone: bool) -> set[str]:
    """The fields that a cell names by itself, or (where not `alone`) in one of a few words."""
    if not is_name(cell):
        return set()
    ways = {True, alone}
    return {field for field in FIELDS for way in ways if says(strip_number(cell), field, alone=way)}


def is_name(cell: str) -> bool:
    """Whether it may be a column's name; what is long, or a sentence, may be somebody's words."""
    is_short = len(cell) <= LONGEST_NAME and len(cell.split()) <= MOST_WORDS
    return is_short and not SENTENCE.match(IN_BRACKETS.sub("", cell).strip())


def _is_id(cell: str, at: int, below: Sequence[Sequence[str]]) -> bool:
    """Whether a cell looks like an ID, as one below it does; a question's name such as Q1 has other answers."""
    if not ID_LIKE.fullmatch(cell.strip()) or _fields(cell, alone=False):
        return False
    under = [row[at].strip() for row in below if at < len(row)]
    return not under or any(map(ID_LIKE.fullmatch, under))


def strip_number(name: str) -> str:
    """A name without the numbers by which several columns of one kind are told apart."""
    return str(NUMBER.sub(" ", name))


def says(name: str, field: str, *, alone: bool) -> bool:
    """Whether a name is one of the field's (`alone`), or has one of its words in it."""
    found, words = plain(name), _words(field, alone=alone)
    if alone:
        return found in words or found.replace(" ", "") in words
    if field == "subject" and CODE_OF.search(found):
        return True
    return any(f" {word} " in f" {found} " for word in words)


@cache
def _words(field: str, *, alone: bool) -> tuple[str, ...]:
    words = map(plain, (ALONE if alone else WITHIN)[field].split("|"))
    return tuple(word for word in words if word)
