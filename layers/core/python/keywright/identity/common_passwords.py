"""
The passwords that guessing starts with: those that lists of leaked passwords have in common, year after year.

Whoever guesses goes on with their words in disguise: in capitals, with digits for letters, with a year or a mark at the
end. So a word counts, however it is dressed; and so do rows of keys. Pure.
"""

from __future__ import annotations

import re

COMMON_PASSWORDS = frozenset(
    """
    00000000 11111111 12121212 12341234 12344321 123123123 12345678 123456789 1234567890 123456789a 12345678910
    123456abc 123654789 123qweasd 147258369 147852369 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2
    20202020 222222222 333333333 55555555 555555555 66666666 666666666 69696969 77777777 777777777 789456123 87654321
    88888888 888888888 987654321 9876543210 99999999 999999999 a1234567 a12345678 a123456789 aa123456 aaaaaaaa
    abc12345 abc123456 abcd1234 abcdefgh access14 adgjmptw admin123 admin1234 administrator alexander america1
    asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl baseball basketball blink182 butterfly changeme changeme1
    charlie1 chocolate christian computer corvette danielle dragon123 elizabeth facebook football football1 freedom1
    garfield google123 hello123 helloworld iloveyou iloveyou1 iloveyou2 internet jennifer jonathan keywright letmein1
    letmein123 liverpool liverpool1 lovelove manchester marlboro master123 mercedes metallica michelle midnight
    mustang1 mypassword nicholas p@ssw0rd p@ssword pa55word pakistan pass1234 passw0rd passwort password password!
    password01 password1 password1! password12 password123 password1234 password2 password3 pokemon1 princess
    princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc qwer1234 qwerasdf qwert123 qwert12345 qwerty12 qwerty123 qwerty1234
    qwerty12345 qwertyui qwertyuiop rainbow1 samantha samsung1 secret123 simpsons slipknot spiderman sunshine
    sunshine1 superman superman1 superstar test1234 testtest trustno1 undertaker victoria welcome1 welcome123
    whatever william1 zaq12wsx zaq1zaq1 zxcvbnm1 zxcvbnm123
    """.split()
)

# Words that are tried with something around them, beside those of the list; our own name among them.
_WORDS = frozenset(
    """
    access admin administrator april august autumn batman december dragon february friday guest hello january july june
    keywright letmein license login march master monday monkey november october passwd qwerty root saturday secret
    september shadow spring summer sunday test thursday tuesday user wednesday welcome winter
    """.split()
) | {stripped for password in COMMON_PASSWORDS if len(stripped := re.sub(r"[\W\d_]+", "", password)) > 4}  # noqa: PLR2004

_MOST_AROUND = 6
_DISGUISES = str.maketrans("013457@$!", "oleastasi")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm")


def is_common(password: str) -> bool:
    """Tell whether a password is among the first that anybody tries."""
    plain = password.lower()
    return plain in COMMON_PASSWORDS or _is_a_row(plain) or _is_a_dressed_word(plain)


def _is_a_dressed_word(plain: str) -> bool:
    """Tell whether it is one of the words with little around it; a digit may stand for a letter or beside them."""
    bare = _without_marks(plain)
    candidates = {bare, bare.translate(_DISGUISES), _without_marks(plain.translate(_DISGUISES))}
    return any(word in _WORDS and len(plain) - len(word) <= _MOST_AROUND for word in candidates)


def _without_marks(text: str) -> str:
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)


def _is_a_row(plain: str) -> bool:
    """Tell whether it is made of one or two characters, or of neighbors in a row of them."""
    return len(set(plain)) <= 2 or any(plain in row or plain in row[::-1] for row in _ROWS)  # noqa: PLR2004
