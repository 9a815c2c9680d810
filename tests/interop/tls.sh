#!/usr/bin/env bash
# Programs that look for weaknesses of TLS: sslscan and testssl.sh on every kind of listener, and posttls-finger as Postfix
# would see ours. They prove that only TLS 1.2 and 1.3 are spoken, with ciphers of forward secrecy, and that none of the
# known attacks is open; no finding of testssl.sh may be above LOW. What depends on the certificate is not asked: the one
# of the development profile has signed itself.

. "$(dirname "$0")/server.sh"

serve alice@example.org

# Whether testssl.sh finds anything worse than LOW. Half a minute for each port.
tested() {
    local name=$1 port=$2 starttls=$3 findings="$WORK/$1.json"
    shift 3
    testssl --quiet --color 0 --warnings off --nodns none --ip 127.0.0.1 ${starttls:+--starttls "$starttls"} \
        --protocols --std --fs --server-preference "$@" --jsonfile "$findings" "localhost:$port" >"$WORK/$name.log" 2>&1
    python3 - "$findings" <<'END' || { cat "$WORK/$name.log"; return 1; }
import json
import sys

findings = json.load(open(sys.argv[1]))
# Of the machine, not of the server.
bad = [one for one in findings if one["severity"] not in ("DEBUG", "OK", "INFO", "LOW") and one["id"] != "engine_problem"]
for one in bad:
    print(one["severity"], one["id"], one["finding"])
names = {one["id"]: one["finding"] for one in findings}
assert "offered" in names["TLS1_3"] and "not offered" not in names["TLS1_3"], names["TLS1_3"]
sys.exit(1 if bad else 0)
END
}

# What sslscan says of versions, renegotiation and ciphers.
scanned() {
    local port=$1
    shift
    sslscan --no-colour "$@" "127.0.0.1:$port" >"$WORK/sslscan" || return 1
    cat "$WORK/sslscan"
    grep -Eq '^TLSv1\.2 +enabled' "$WORK/sslscan" && grep -Eq '^TLSv1\.3 +enabled' "$WORK/sslscan" &&
        ! grep -Eq '^(SSLv2|SSLv3|TLSv1\.0|TLSv1\.1) +enabled' "$WORK/sslscan" &&
        ! grep -Eqi 'secure session renegotiation|vulnerable to heartbleed' <(grep -v 'not vulnerable' "$WORK/sslscan") &&
        ! grep -E '^(Preferred|Accepted)' "$WORK/sslscan" | grep -Ev 'TLS_|ECDHE-.*(GCM|CHACHA20)'
}

fingered() {
    posttls-finger -c -l may -L summary "[127.0.0.1]:$MX" 2>&1 | tee "$WORK/finger"
    grep -q 'TLS connection established to .*: TLSv1\.3 ' "$WORK/finger"
}

check 'posttls-finger: Postfix would speak TLS 1.3' fingered
check 'sslscan, SMTP with STARTTLS' scanned "$MX" --starttls-smtp
check 'sslscan, submission under TLS' scanned "$SUBMISSIONS"
check 'sslscan, POP3 with STLS' scanned "$POP3" --starttls-pop3
# Heartbleed and its kin depend on the library, not on the protocol around it: once is enough.
check 'testssl.sh, SMTP with STARTTLS' tested smtp "$MX" smtp --vulnerable
check 'testssl.sh, POP3 with STLS' tested pop3 "$POP3" pop3
check 'testssl.sh, submission under TLS' tested submissions "$SUBMISSIONS" ''

report
