"""What columns of messages are called, in the languages of those who send tables. Data, and how a name is compared."""

from __future__ import annotations

import unicodedata
from functools import cache

import regex

FIELDS = ("subject", "writer", "relationship", "language", "text", "participant_name")
NEEDED = ("subject", "writer", "relationship", "text")

# Names that say it alone.
ALONE = {
    "subject": """
        subject | subject id | sub | participant | participant id | participant code | participantid | pid |
        id participant | ppt | ppt id | study id | teilnehmer | teilnehmer id | teilnehmernummer |
        teilnehmercode | versuchsperson | vp | vp nummer | vp code | proband | code participant |
        numero participant | sujet | participante | id participante | sujeto | codigo participante |
        partecipante | soggetto | deelnemer | deelnemer id | deltagare | deltager | deltagernummer |
        uczestnik | osallistuja | 被験者 | 被験者番号 | 参加者id | 被试 | 被试编号 | 참가자 | участник
    """,
    "writer": """
        writer | writer name | author | sender | sender name | from | from whom | written by | loved one |
        loved one name | your name | absender | absenderin | verfasser | verfasserin | autor | autorin |
        autora | von | schreiber | schreiberin | auteur | expediteur | expeditrice | de la part de |
        remitente | de parte de | mittente | autore | schrijver | afzender | avsandare | afsender | nadawca |
        lahettaja | 差出人 | 書き手 | 作者 | 寄信人 | 보낸사람 | автор | отправитель
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
        text | message | message text | messages | letter | note | nachricht | nachrichtentext | brief |
        botschaft | message texte | texte | lettre | mensaje | texto | carta | mensagem | messaggio | testo |
        lettera | bericht | boodschap | meddelande | besked | melding | wiadomosc | viesti | メッセージ | 本文 | 手紙 |
        留言 | 消息 | 信息 | 信 | 메시지 | 편지 | сообщение | текст | письмо
    """,
    "participant_name": """
        participant name | name of participant | name of the participant | recipient | recipient name |
        teilnehmername | name des teilnehmers | name der teilnehmerin | empfanger | empfangerin |
        nom du participant | prenom du participant | destinataire | nombre del participante | destinatario |
        destinataria | naam deelnemer | ontvanger
    """,
}

# Words that say it within a longer name, or in a form's question.
WITHIN = {
    "subject": """
        participant id | participant code | participant number | teilnehmernummer | teilnehmercode |
        code du participant | numero du participant | codigo del participante | external data reference
    """,
    "writer": """
        your name | your first name | writer | sender | ihr name | dein name | ihren namen | deinen namen |
        absender | verfasser | votre nom | votre prenom | ton prenom | su nombre | tu nombre | il tuo nome |
        uw naam | je naam
    """,
    "relationship": """
        relationship | related to | relation | beziehung | verhaltnis | verwandtschaft | lien | relacion |
        parentesco | parentela | relatie
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
}


def plain(name: str) -> str:
    """A name in small letters without accents, its words apart: `Participant-ID:` is `participant id`."""
    parted = regex.sub(r"(?<=\p{Ll})(?=\p{Lu}\p{Ll})", " ", name)
    letters = unicodedata.normalize("NFKD", parted.casefold())
    return " ".join(regex.findall(r"[\p{L}\p{N}]+", regex.sub(r"\p{Mn}+", "", letters)))


def says(name: str, field: str, *, alone: bool) -> bool:
    """Whether a name is one of the field's (`alone`), or has one of its words in it."""
    found, words = plain(name), _words(field, alone=alone)
    if alone:
        return found in words or found.replace(" ", "") in words
    return any(f" {word} " in f" {found} " for word in words)


@cache
def _words(field: str, *, alone: bool) -> tuple[str, ...]:
    return tuple(plain(word) for word in (ALONE if alone else WITHIN)[field].split("|"))
