"""Where the keys of the audit chain come from. May ask the network: call it before a transaction is open."""

from __future__ import annotations

import base64
import binascii

from keywright.platform import secrets
from keywright.platform.errors import SettingMissing

_MIN_KEY_BYTES = 32


def chain_keys() -> dict[str, bytes]:
    """
    Return the keys by name; the first seals, all verify.

    :raises SettingMissing: if the secret holds no usable key
    """
    try:
        keys = {
            str(key["kid"]): base64.b64decode(key["key"], validate=True) for key in secrets.read("AUDIT_KEYS")["keys"]
        }
    except (KeyError, TypeError, binascii.Error, ValueError) as problem:
        raise SettingMissing("The secret AUDIT_KEYS is not {keys: [{kid, key}]}.") from problem
    if not keys or any(len(key) < _MIN_KEY_BYTES for key in keys.values()):
        raise SettingMissing(f"The secret AUDIT_KEYS needs a key, and none below {_MIN_KEY_BYTES} bytes.")
    return keys
