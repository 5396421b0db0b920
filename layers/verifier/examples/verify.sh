#!/bin/sh
# Verifies a license with nothing but a shell and OpenSSL 3: for installers and start scripts.
#
#   KEY_ID=k_2027 KEY_X=... ./verify.sh license.jwt shop.example.com
#
# KEY_ID and KEY_X are "kid" and "x" of the vendor's public key; better write them here than take them from a file.
# It checks the form, the signature, the domain and the period. It does not check what the full verifier checks
# besides: the fingerprint, the revocation list and a clock that was set back.
# Exit code: 0 valid, 1 not valid, 2 the question could not be asked.
set -eu
export LC_ALL=C

fail() { echo "$1"; exit 1; }
cannot() { echo "verify.sh: $1" >&2; exit 2; }

[ $# -ge 2 ] && [ -n "${KEY_ID:-}" ] && [ -n "${KEY_X:-}" ] || cannot "usage: KEY_ID=... KEY_X=... verify.sh LICENSE DOMAIN [UNIX]"
[ -r "$1" ] || cannot "$1 cannot be read"
domain=$2
now=${3:-$(date +%s)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Writes what base64url means to a file, and refuses any other spelling of it.
decode() {
    text=$1
    standard=$(printf %s "$text" | tr -- '-_' '+/')
    while [ $((${#standard} % 4)) -ne 0 ]; do standard="$standard="; done
    printf %s "$standard" | openssl base64 -d -A > "$2" 2>/dev/null || return 1
    again=$(openssl base64 -A < "$2" | tr '+/' '-_' | tr -d '=')
    [ "$again" = "$text" ]
}

# One line of three parts and nothing else, up to 16 KiB and an editor's line end.
[ "$(wc -c < "$1")" -le 16386 ] || fail "MALFORMED: too long"
token=$(cat "$1"; printf x)
token=${token%x}
newline='
'
token=${token%"$newline"}
case $token in *"$newline"* | *[!A-Za-z0-9._-]* | *.*.*.*) fail "MALFORMED: not a token" ;; *?.?*.?*) ;; *) fail "MALFORMED: not a token" ;; esac
[ "$(tr -d '\0' < "$1" | wc -c)" -eq "$(wc -c < "$1")" ] || fail "MALFORMED: not a token"
header=${token%%.*}
rest=${token#*.}
payload=${rest%%.*}
signature=${rest#*.}
decode "$header" "$work/header" || fail "MALFORMED: header"
decode "$payload" "$work/payload" || fail "MALFORMED: payload"
decode "$signature" "$work/signature" || fail "MALFORMED: signature"

# The header has one spelling. So algorithm, type and version are pinned by comparing, and no key can come with it.
expected="{\"alg\":\"EdDSA\",\"kid\":\"$KEY_ID\",\"typ\":\"license+jwt\",\"v\":1}"
[ "$(cat "$work/header")" = "$expected" ] || fail "HEADER_REFUSED: it is not $expected"

# An Ed25519 key in DER is these twelve bytes and the key.
decode "$KEY_X" "$work/x" || cannot "KEY_X is not base64url"
[ "$(wc -c < "$work/x")" -eq 32 ] || cannot "KEY_X is not 32 bytes long"
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; cat "$work/x"; } > "$work/key"
printf %s "$header.$payload" > "$work/message"
[ "$(wc -c < "$work/signature")" -eq 64 ] || fail "MALFORMED: signature"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$work/message" \
    -sigfile "$work/signature" > /dev/null 2>&1 || fail "SIGNATURE_INVALID: altered, or not the vendor's"

# Signed, so spelled canonically: members in alphabetical order, without white space.
claim() { sed -n "s/^{.*$1.*}\$/\\$2/p" "$work/payload"; }
bound=$(claim '"domain":"\([a-z0-9.-]*\)","enforcement":"' 1)
mode=$(claim '"enforcement":"\([a-z]*\)","entitlements":{' 1)
period='"exp":\([0-9]*\),\("fingerprint":"[^"]*",\)\{0,1\}"grace_until":\([0-9]*\),"iat":'
exp=$(claim "$period" 1)
grace=$(claim "$period" 3)
nbf=$(claim '"nbf":\([0-9]*\),"plan":"' 1)
[ -n "$bound" ] && [ -n "$mode" ] && [ -n "$exp" ] && [ -n "$grace" ] && [ -n "$nbf" ] || fail "CLAIMS_INVALID: a claim is missing"

[ "$now" -ge $((nbf - 300)) ] || fail "NOT_YET_VALID: it starts at $nbf"
case $mode in
    hard) end=$exp ;;
    grace) end=$grace ;;
    advisory) end=$((now + 1)) ;;
    *) fail "CLAIMS_INVALID: enforcement" ;;
esac
[ "$now" -lt "$end" ] || fail "EXPIRED: it expired at $exp"
[ "$(printf %s "$domain" | tr 'A-Z' 'a-z' | sed 's/\.$//')" = "$bound" ] || fail "DOMAIN_MISMATCH: the license is for $bound"
echo "VALID: until $exp"
