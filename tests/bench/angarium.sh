#!/bin/bash
# Starts and stops Angarium for the mail bench, in the way of its peers' scripts:
#   angarium.sh start DIR PORTBASE     writes DIR/env with NAME PID CG SMTP SUBMISSION POP3 COUNT
#   angarium.sh stop DIR
# ANGARIUM is the program (default: the release build), ROUTE=discard measures intake alone (default: mailboxes).
# MAX_CONNECTIONS of the listener for mail, and REMEMBER, how long a verified password is, can be given, too.
# BENCH_LIB is the lib.sh of the bench. Users u0@bench.test to u19@bench.test have the password pw.
set -e
. "$BENCH_LIB"
D=$2
if [ "$1" = stop ]; then
  . "$D/env"
  kill "$PID" 2>/dev/null || true
  for _ in $(seq 100); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done
  mb_stopcg "$CG"
  exit 0
fi
P=${3:-24000}
ANGARIUM=${ANGARIUM:-target/release/angarium}
mkdir -p "$D"
cat > "$D/angarium.toml" <<C
[server]
profile = "development"
data = "$D/data"
[listeners.mx]
bind = "127.0.0.1:$P"
max_connections = ${MAX_CONNECTIONS:-16384}
[listeners.pop3]
bind = "127.0.0.1:$((P + 1))"
[listeners.submission]
bind = "127.0.0.1:$((P + 2))"
[listeners.submissions]
enabled = false
[auth]
remember = "${REMEMBER:-5m}"
[log]
level = "warn"
C
[ "$ROUTE" = discard ] && printf '[routes."bench.test"]\nkind = "discard"\n' >> "$D/angarium.toml"
for i in $(seq 0 19); do
  echo pw | "$ANGARIUM" account add "u$i@bench.test" --config "$D/angarium.toml" > /dev/null
done
CG=$(mb_cgroup "angarium-$P")
( [ -n "$CG" ] && echo $BASHPID > "$CG/cgroup.procs"; ulimit -n 20000; exec $MB_PRIO "$ANGARIUM" serve --config "$D/angarium.toml" ) \
  > "$D/out.log" 2> "$D/err.log" &
PID=$!
for _ in $(seq 100); do grep -q ^ready "$D/out.log" && break; sleep 0.1; done
grep -q ^ready "$D/out.log" || { cat "$D/err.log"; exit 1; }
cat > "$D/env" <<C
NAME=angarium-${ROUTE:-mailbox}
PID=$PID
CG=$CG
SMTP=127.0.0.1:$P
SUBMISSION=127.0.0.1:$((P + 2))
POP3=127.0.0.1:$((P + 1))
COUNT="python3 $(cd "$(dirname "$0")" && pwd)/count.py 127.0.0.1:$((P + 1))"
C
