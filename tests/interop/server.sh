# A server of its own for a script with clients: in a temporary directory, on ports that the system chooses, ended by
# its own id. To be sourced by a script whose first argument is the path of the program.

set -u

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: $0 PATH-OF-ANGARIUM" >&2
    exit 2
fi
HERE=$(realpath "$(dirname "$0")")
ANGARIUM=$(realpath "$1")
WORK=$(mktemp -d)
DATA=$WORK/data
CERTIFICATE=$DATA/development-certificate.pem
PASSWORD=secret
SERVER=
PASSED=0
FAILED=0

finish() {
    [ -n "$SERVER" ] && kill "$SERVER" 2>/dev/null && wait "$SERVER" 2>/dev/null
    rm -rf "$WORK"
}
trap finish EXIT

# Makes these accounts and starts the server; MX, SUBMISSION, SUBMISSIONS, LMTP, POP3 and POP3S are its ports then.
serve() {
    local account ready
    for account in "$@"; do
        echo "$PASSWORD" | "$ANGARIUM" account add "$account" --data "$DATA" >/dev/null || exit 1
    done
    mkfifo "$WORK/ready"
    "$ANGARIUM" serve --data "$DATA" --set listeners.mx.bind=127.0.0.1:0 --set listeners.pop3.bind=127.0.0.1:0 \
        --set listeners.submission.bind=127.0.0.1:0 --set listeners.submissions.bind=127.0.0.1:0 \
        --set listeners.submission.plaintext_auth=never \
        --set listeners.pop3s.protocol=pop3 --set listeners.pop3s.bind=127.0.0.1:0 --set listeners.pop3s.tls=implicit \
        --set listeners.lmtp.protocol=lmtp --set listeners.lmtp.bind=127.0.0.1:0 >"$WORK/ready" 2>"$WORK/log" &
    SERVER=$!
    if ! read -r -t 60 ready <"$WORK/ready"; then
        cat "$WORK/log" >&2
        exit 1
    fi
    MX=$(port mx "$ready")
    SUBMISSION=$(port submission "$ready")
    SUBMISSIONS=$(port submissions "$ready")
    LMTP=$(port lmtp "$ready")
    POP3=$(port pop3 "$ready")
    POP3S=$(port pop3s "$ready")
}

# The port of a listener in the line that says what is ready.
port() { sed -n "s/.* $1=127\.0\.0\.1:\([0-9]*\).*/\1/p" <<<"$2"; }

# Runs a command under a name; it must succeed.
check() {
    local name=$1
    shift
    if "$@" >"$WORK/output" 2>&1; then
        PASSED=$((PASSED + 1))
        echo "ok     $name"
    else
        FAILED=$((FAILED + 1))
        echo "FAILED $name"
        sed 's/^/       /' "$WORK/output" | tail -n 40
    fi
}

# The same for a command that must fail, because the server refuses.
refused() {
    local name=$1
    shift
    check "$name" negated "$@"
}

negated() { ! "$@"; }

# Waits until an account has so many messages.
has() {
    local account=$1 messages=$2 deadline=$((SECONDS + 30)) found=
    while [ "$SECONDS" -lt "$deadline" ]; do
        found=$(curl -s --user "$account:$PASSWORD" "pop3://127.0.0.1:$POP3/" | grep -c '^[0-9]')
        [ "$found" -eq "$messages" ] && return 0
    done
    echo "$account has $found messages, not $messages"
    return 1
}

# Says how it went, with a code that says so too.
report() {
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" -eq 0 ]
}
