"""
The SQL that Aurora MySQL 3 and MariaDB 10.11 both take and understand alike, as a list of what is outside of it.

Each rule is named for what is wrong. The texts are stripped of comments and of quoted values first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from keywright.platform.migrations import APPEND_ONLY

ROOT = Path(__file__).parents[3]
MIGRATIONS = ROOT / "layers" / "core" / "migrations"
DOMAINS = ROOT / "layers" / "core" / "python" / "keywright"

_PATTERNS = {
    "RETURNING": r"\bRETURNING\b",
    "a JSON operator": r"->>?",
    "a JSON function": r"\bJSON_\w+\s*\(|\bMEMBER\s+OF\b",
    "a JSON column": r"\bJSON\b(?!_)\s*(NOT\s+NULL|NULL|,|\))",
    "a collation that only MySQL has": r"\w+_0900_\w+",
    "a functional index": r"(KEY|INDEX)\s+\w+\s*\(\s*\(",
    "IF NOT EXISTS for a column or an index": r"(COLUMN|INDEX|KEY)\s+IF\s+(NOT\s+)?EXISTS",
    "a type that only MariaDB has": r"\s(UUID|INET6|INET4)\b(?!\s*\()",
    "a row alias in an upsert": r"\bVALUES\s*\([^()]*\)\s*AS\s+\w+",
    "FOR SHARE or FOR UPDATE OF": r"\bFOR\s+SHARE\b|\bFOR\s+UPDATE\s+OF\b",
    "LATERAL or VALUES ROW": r"\bLATERAL\b|\bVALUES\s+ROW\b",
    "a function that only MySQL has": r"\b(UUID_TO_BIN|BIN_TO_UUID|REGEXP_LIKE|ANY_VALUE|GROUPING)\s*\(",
    "DROP CHECK, NOT ENFORCED or INVISIBLE": r"\bDROP\s+CHECK\b|\bNOT\s+ENFORCED\b|\bINVISIBLE\b",
    "INTERSECT or EXCEPT": r"\bINTERSECT\b|\bEXCEPT\b",
    "INSERT IGNORE, which bends data silently": r"\b(INSERT|UPDATE|DELETE|REPLACE)\s+IGNORE\b|\bREPLACE\s+INTO\b",
    "a setting of the session, which pins the connection": r"(^|;)\s*SET\s",
    "a lock outside of the transaction": r"\bGET_LOCK\s*\(|\bLOCK\s+TABLES\b",
    "the server's clock": r"\b(NOW|SYSDATE|CURDATE|CURTIME|UTC_TIMESTAMP|UNIX_TIMESTAMP)\s*\(",
    "ENUM, whose order is its meaning": r"\bENUM\s*\(",
    "a float": r"\b(FLOAT|DOUBLE|REAL)\b",
    "a time without microseconds": r"\b(DATETIME|TIMESTAMP)\b(?!\s*\(6\))",
    "STORED NOT NULL": r"\bSTORED\s+NOT\s+NULL\b",
    "CASCADE": r"\bON\s+(DELETE|UPDATE)\s+(CASCADE|SET\s+NULL)\b",
    "a word that MySQL reserves, as a bare name": (
        r"\b(rank|groups|lead|lag|system|row|rows|of|empty|window|cube|except|function|recursive|offset)\s+"
        r"(BIGINT|INT|TINYINT|VARCHAR|CHAR|TEXT|DATETIME|DECIMAL)\b"
    ),
    "all columns": r"\bSELECT\s+\*",
}

Rule = Callable[[str], bool]


def place(path: Path) -> str:
    """Name a file of SQL: a migration by its own name, a domain's queries by their folder."""
    return path.stem if path.stem != "queries" else ".".join(path.parent.relative_to(DOMAINS).parts)


def _wrong_clock(text: str) -> bool:
    """CURRENT_TIMESTAMP may only be what ``updated_at`` is set to."""
    allowed = r"updated_at\s+DATETIME\(6\) NOT NULL DEFAULT CURRENT_TIMESTAMP\(6\) ON UPDATE CURRENT_TIMESTAMP\(6\)"
    return bool(re.search(r"\bCURRENT_TIMESTAMP\b|\bLOCALTIME", re.sub(allowed, "", text), re.IGNORECASE))


def _collation_left_out(text: str) -> bool:
    tables = re.findall(r"\bCREATE TABLE\b.*?\)\s*ENGINE[^;]*;|\bCREATE TABLE\b[^;]*;", text, re.IGNORECASE | re.DOTALL)
    return any(not re.search(r"\bENGINE = InnoDB\b.*\bCOLLATE utf8mb4_bin\s*;$", table) for table in tables)


def _unnamed_constraint(text: str) -> bool:
    without_names = re.sub(r"CONSTRAINT\s+(ck|fk)_\w+\s+(CHECK|FOREIGN KEY)", "", text, flags=re.IGNORECASE)
    without_grants = re.sub(r"SET FOREIGN_KEY_CHECKS", "", without_names)
    return bool(re.search(r"\bCHECK\s*\(|\bFOREIGN\s+KEY\b", without_grants, re.IGNORECASE))


def _locks_append_only(text: str) -> bool:
    """MySQL lets nobody lock rows of a table that they may not change."""
    reads = [part for part in re.split(r";", text) if re.search(r"FOR UPDATE|LOCK IN SHARE MODE", part)]
    return any(re.search(rf"\b(FROM|JOIN)\s+{table}\b", read) for read in reads for table in APPEND_ONLY)


def _matches(pattern: str) -> Rule:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.search(text) is not None


_RULES: dict[str, Rule] = {
    **{name: _matches(pattern) for name, pattern in _PATTERNS.items()},
    "the server's clock outside of updated_at": _wrong_clock,
    "a table without engine and collation": _collation_left_out,
    "a constraint without a name of our form": _unnamed_constraint,
    "a locking read of a table that the application may only add to": _locks_append_only,
}


def stripped(text: str) -> str:
    """Return SQL without comments and without what stands between quotes."""
    without_comments = re.sub(r"--[^\n]*", "", text)
    return re.sub(r"'[^']*'", "''", without_comments)


def faults(text: str) -> list[str]:
    """Return the names of the rules that a text breaks."""
    plain = stripped(text)
    return [name for name, breaks in _RULES.items() if breaks(plain)]


def repeated_names(texts: Iterable[str]) -> list[str]:
    """Return constraint names that occur twice: MySQL wants a CHECK's name to be unique in the schema."""
    names = (name for text in texts for name in re.findall(r"(?<!\bDROP )\bCONSTRAINT\s+(\w+)", stripped(text)))
    return [name for name, count in Counter(names).items() if count > 1]


def tail_comments(text: str) -> list[str]:
    """Return lines with a comment behind code: joined into one line, it would hide the rest of the query."""
    return [line for line in text.splitlines() if "--" in line and not line.lstrip().startswith("--")]
