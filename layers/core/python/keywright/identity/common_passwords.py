"""
The passwords that guessing starts with, in lower case and no shorter than a password may be.

They are the ones that lists of leaked passwords have in common, year after year.
"""

from __future__ import annotations

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
