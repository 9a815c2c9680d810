#!/usr/bin/env bash
# Programs that fetch mail: curl, mpop, fetchmail. Each reads everything that is there.
#
# getmail is not among them: it forks before it waits for the child's signal, and hangs or fails when the child is quicker.

. "$(dirname "$0")/server.sh"

MESSAGES=25
serve curl@example.org mpop@example.org fetchmail@example.org

cd "$WORK" || exit 1
for number in $(seq "$MESSAGES"); do
    printf 'From: a@client.example\r\nSubject: number %s\r\n\r\nbody of %s\r\n.a dot\r\nFrom here\r\n' \
        "$number" "$number" >"message.$number"
    curl -sS --mail-from a@client.example --mail-rcpt curl@example.org --mail-rcpt mpop@example.org \
        --mail-rcpt fetchmail@example.org \
        --upload-file "message.$number" "smtp://127.0.0.1:$MX/client.example" || exit 1
done
seq "$MESSAGES" | sort >expected

# Every message, once, with its body.
complete() {
    grep -a '^Subject: number ' "$1" | tr -d '\r' | sed 's/.* //' | sort | diff - expected &&
        grep -a '^body of ' "$1" | tr -d '\r' | sed 's/.* //' | sort | diff - expected &&
        [ "$(grep -ac '^\.a dot' "$1")" -eq "$MESSAGES" ]
}

for account in curl mpop fetchmail; do
    check "everything is there for $account" has "$account@example.org" "$MESSAGES"
done

url=pop3://127.0.0.1:$POP3
curl=(curl -sS --max-time 60 --user "curl@example.org:$PASSWORD")
read_with_curl() {
    for number in $(seq "$MESSAGES"); do "${curl[@]}" "$@" "$url/$number" || return 1; done >curl.mbox
    complete curl.mbox
}
check 'curl in clear' read_with_curl
check 'curl under TLS' read_with_curl --ssl-reqd -k
uidl() { "${curl[@]}" -X UIDL "$url/" | tr -d '\r' | cut -d' ' -f2 | sort -u | wc -l | grep -qx "$MESSAGES"; }
check 'curl UIDL' uidl
top() { "${curl[@]}" -X 'TOP 1 0' "$url/" | grep -qa '^Subject: '; }
check 'curl TOP' top
refused 'curl with a wrong password' curl -sS --user curl@example.org:guess "$url/"

read_with_mpop() {
    mpop --file=/dev/null --host=127.0.0.1 --port="$POP3" --auth=user --user=mpop@example.org \
        --passwordeval="echo $PASSWORD" --delivery="mbox,$WORK/mpop.mbox" --uidls-file="$WORK/uidls" "$@"
}
check 'mpop in clear, keeping' read_with_mpop --tls=off --keep=on
check 'mpop read everything' complete mpop.mbox
again() { rm mpop.mbox uidls && read_with_mpop --tls=on --tls-starttls=on --tls-certcheck=off --pipelining=on --keep=off; }
check 'mpop under TLS, pipelined, deleting' again
check 'mpop read everything again' complete mpop.mbox
check 'mpop left nothing' has mpop@example.org 0

cat >fetchmailrc <<EOF
poll 127.0.0.1 service $POP3 protocol pop3 uidl no dns username "fetchmail@example.org" password "$PASSWORD"
    sslproto "" mda "cat >>$WORK/fetchmail.mbox" fetchall nokeep
EOF
chmod 600 fetchmailrc
check 'fetchmail in clear, deleting' fetchmail --nodetach --nosyslog --fetchmailrc fetchmailrc --idfile ids \
    --pidfile fetchmail.pid
check 'fetchmail read everything' complete fetchmail.mbox
check 'fetchmail left nothing' has fetchmail@example.org 0

report
